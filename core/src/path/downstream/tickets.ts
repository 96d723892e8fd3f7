import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Call, Json, JsonObject } from '#call';
import { asObject } from './errors.ts';

/** What a call needs to go on: the server's own state, or where the call waits. */
export const Kept = z.union([z.object({ server: z.string() }), z.object({ parked: z.string(), at: z.string() })]);
export type Kept = z.output<typeof Kept>;

const Sealed = z.object({ kept: Kept, until: z.number() });

type Options = {
  /** 32 bytes that every replica has and nobody else. */
  key: Buffer;
  /** Milliseconds since the epoch. */
  now(): number;
  ttlMs: number;
};

const CIPHER = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** The same value whatever the order of its keys: a client may write its request anew. */
const sorted = (value: Json | undefined): Json => {
  if (Array.isArray(value)) return value.map(sorted);
  const object = asObject(value);
  if (!object) return value ?? null;
  const keys = Object.keys(object).sort();
  return keys.map((key) => [key, sorted(object[key])]);
};

/** What a ticket is good for: this principal, at this endpoint, making this very request. */
const bindingOf = ({ caller, endpoint, method, params, capability }: Call): Buffer => {
  const { _meta, requestState: _state, inputResponses: _responses, ...salient } = params;
  const principal = [caller.workspaceId, caller.kind, caller.userId, endpoint];
  const what = [method, capability.serverId, capability.name, sorted(salient as JsonObject)];
  return createHash('sha256')
    .update(JSON.stringify([principal, what]))
    .digest();
};

/**
 * The `requestState` that clients hold for us: encrypted and authenticated, bound to principal and request, and good for
 * `ttlMs` (2026-07-28, "Multi Round-Trip Requests", server requirements 4 and 5).
 */
export const createTickets = ({ key: secret, now, ttlMs }: Options) => {
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'peta request state', 32));

  return {
    seal(call: Call, kept: Kept): string {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv(CIPHER, key, iv);
      cipher.setAAD(bindingOf(call));
      const body = JSON.stringify({ kept, until: now() + ttlMs });
      const sealed = Buffer.concat([cipher.update(body, 'utf8'), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url');
    },

    /** What was sealed, or undefined when the ticket is another's, another call's, too old, or none of ours. */
    open(call: Call, ticket: string): Kept | undefined {
      const bytes = Buffer.from(ticket, 'base64url');
      if (bytes.length <= IV_BYTES + TAG_BYTES) return undefined;
      try {
        const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, IV_BYTES));
        decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
        decipher.setAAD(bindingOf(call));
        const body = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
        const { kept, until } = Sealed.parse(JSON.parse(body.toString('utf8')));
        return until > now() ? kept : undefined;
      } catch {
        return undefined;
      }
    },
  };
};

export type Tickets = ReturnType<typeof createTickets>;
