import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Call } from '#call';
import { canonical } from '#lib/canonical';
import { keyFor, openText, sealText } from '#lib/sealed';

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

/** What a ticket is good for: this principal, at this endpoint, making this very request. */
const bindingOf = ({ caller, endpoint, method, params, capability }: Call): string => {
  const { _meta, requestState: _state, inputResponses: _responses, ...salient } = params;
  const principal = [caller.workspaceId, caller.kind, caller.userId, endpoint];
  const what = [method, capability.serverId, capability.name, canonical(salient)];
  return createHash('sha256')
    .update(JSON.stringify([principal, what]))
    .digest('base64');
};

/**
 * The `requestState` that clients hold for us: encrypted and authenticated, bound to principal and request, and good for
 * `ttlMs` (2026-07-28, "Multi Round-Trip Requests", server requirements 4 and 5).
 */
export const createTickets = ({ key: secret, now, ttlMs }: Options) => {
  const key = keyFor(secret, 'peta request state');

  return {
    seal(call: Call, kept: Kept): string {
      return sealText(key, JSON.stringify({ kept, until: now() + ttlMs }), bindingOf(call));
    },

    /** What was sealed, or undefined when the ticket is another's, another call's, too old, or none of ours. */
    open(call: Call, ticket: string): Kept | undefined {
      const text = openText(key, ticket, bindingOf(call));
      if (text === undefined) return undefined;
      const { kept, until } = Sealed.parse(JSON.parse(text));
      return until > now() ? kept : undefined;
    },
  };
};

export type Tickets = ReturnType<typeof createTickets>;
