import { randomUUID } from 'node:crypto';
import {
  type Admitted,
  type Arrival,
  type Ask,
  type Caller,
  type Capability,
  FIRST_WORKSPACE,
  type Json,
  type JsonObject,
  type Outcome,
  type Refused,
} from '#call';
import { Unavailable } from '#lib/unavailable';
import { createDoor } from './door.ts';
import type { Entry, Journal } from './entry.ts';
import { redact, redactSentence } from './redact.ts';

type Facts = { capability?: Capability; rule?: string };

/** An administrative change, or the attempt. */
export type AdminChange = {
  caller: Caller | null;
  /** Whose log it belongs in, where no caller says so. */
  workspaceId?: string | undefined;
  address: string;
  operation: string;
  target: string | null;
  /** What was asked, before and after where they are known; secrets are taken out. */
  details: JsonObject;
  outcome: 'done' | 'refused' | 'failed';
  error?: string | undefined;
};

/** Somebody signed in or out, could not, or changed how they do. */
export type SignInNote = {
  workspaceId: string;
  userId: string | null;
  tokenId: string | null;
  address: string;
  operation: string;
  details: JsonObject;
  outcome: 'done' | 'refused';
  error?: string | undefined;
};

type Options = {
  journal: Journal;
  /** Milliseconds since the epoch. */
  now(): number;
};

const MAX_NAME = 512;

const clip = (text: string): string => (text.length > MAX_NAME ? `${text.slice(0, MAX_NAME)}…` : text);

const endOf = (outcome: Outcome): Pick<Entry, 'outcome' | 'error'> => {
  switch (outcome.kind) {
    case 'done':
      return { outcome: outcome.isToolError ? 'tool-error' : 'done' };
    case 'failed':
      return { outcome: 'failed', error: clip(redactSentence(outcome.error.message)) };
    case 'refused':
      return { outcome: 'refused', error: clip(redactSentence(outcome.reason)) };
    case 'cancelled':
      return { outcome: 'cancelled' };
    case 'asks':
      return { outcome: 'asked' };
    case 'task':
      return { outcome: 'task' };
  }
};

/** Writes down what happens, before its answer leaves. */
export const createAudit = ({ journal, now }: Options) => {
  const at = (): string => new Date(now()).toISOString();

  const append = async (entry: Entry): Promise<void> => {
    try {
      await journal.append(entry);
    } catch (cause) {
      const message =
        'Peta cannot write its audit log, so nothing runs. An administrator must look at the disk of PETA_HOME.';
      throw new Unavailable(message, { cause });
    }
  };

  const callEntry = (ask: Ask, { caller, client, address, sessionId }: Admitted): Omit<Entry, 'event' | 'at'> => ({
    id: ask.callId,
    workspaceId: caller.workspaceId,
    kind: 'call',
    userId: caller.userId ?? caller.kind,
    tokenId: caller.tokenId,
    role: caller.role,
    client: clip(`${client.name} ${client.version}`.trim()),
    address,
    sessionId: sessionId ?? null,
    requestId: clip(JSON.stringify(ask.requestId)),
    operation: ask.method,
    exposedName: clip(redactSentence(ask.exposedName)),
  });

  const door = createDoor(now);

  return {
    /** Writes the intent first, so a call that cannot be recorded does not run, and the outcome before it is told. */
    async recorded(
      ask: Ask,
      admitted: Admitted,
      run: (note: (facts: Facts) => void) => Promise<Outcome>,
    ): Promise<Outcome> {
      const entry = callEntry(ask, admitted);
      const began = now();
      await append({
        ...entry,
        event: 'began',
        at: at(),
        arguments: redact(ask.params.arguments as JsonObject | undefined),
      });
      let facts: Facts = {};
      const end = (how: Pick<Entry, 'outcome' | 'error'>) => {
        const { serverId, name } = facts.capability ?? {};
        return append({
          ...entry,
          ...how,
          event: 'ended',
          at: new Date(began).toISOString(),
          serverId: serverId ?? null,
          name: name === undefined ? null : clip(redactSentence(name)),
          rule: facts.rule ?? null,
          durationMs: Math.max(0, now() - began),
        });
      };
      let outcome: Outcome;
      try {
        outcome = await run((more) => {
          facts = { ...facts, ...more };
        });
      } catch (error) {
        await end({ outcome: 'failed', error: 'Peta itself failed; its log says why.' });
        throw error;
      }
      await end(endOf(outcome));
      return outcome;
    },

    /** Somebody was not let in. Floods are counted rather than written down one by one. */
    async refusedAtDoor(
      { address, endpoint, sessionId }: Arrival,
      { code, reason, workspaceId = FIRST_WORKSPACE }: Refused,
    ): Promise<void> {
      const remark = door(workspaceId, address);
      if (remark === undefined) return;
      await append({
        id: randomUUID(),
        event: 'whole',
        workspaceId,
        at: at(),
        kind: 'auth',
        operation: code,
        address,
        exposedName: endpoint,
        sessionId: sessionId === undefined ? null : clip(sessionId).slice(0, 8),
        outcome: 'refused',
        error: reason + remark,
      });
    },

    /** Of signing in, before its answer leaves. Floods of failures are counted rather than written down one by one. */
    async signIn({
      workspaceId,
      userId,
      tokenId,
      address,
      operation,
      details,
      outcome,
      error,
    }: SignInNote): Promise<void> {
      const remark = outcome === 'refused' ? door(workspaceId, address) : '';
      if (remark === undefined) return;
      await append({
        id: randomUUID(),
        event: 'whole',
        workspaceId,
        at: at(),
        kind: 'auth',
        userId,
        tokenId,
        address,
        operation,
        arguments: redact(details),
        outcome,
        error: error === undefined ? null : error + remark,
      });
    },

    /** An administrative change, written down before its answer leaves. */
    async changed({
      caller,
      workspaceId,
      address,
      operation,
      target,
      details,
      outcome,
      error,
    }: AdminChange): Promise<void> {
      await append({
        id: randomUUID(),
        event: 'whole',
        workspaceId: caller?.workspaceId ?? workspaceId ?? FIRST_WORKSPACE,
        at: at(),
        kind: 'admin',
        userId: caller ? (caller.userId ?? caller.kind) : null,
        tokenId: caller?.tokenId ?? null,
        role: caller?.role ?? null,
        address,
        operation,
        name: target === null ? null : clip(redactSentence(target)),
        arguments: redact(details) satisfies Json,
        outcome,
        error: error === undefined ? null : clip(redactSentence(error)),
      });
    },

    /** Something Peta itself did: it started, it stopped. */
    async system(operation: string, details: JsonObject): Promise<void> {
      await append({
        id: randomUUID(),
        event: 'whole',
        workspaceId: FIRST_WORKSPACE,
        at: at(),
        kind: 'system',
        operation,
        arguments: redact(details),
        outcome: 'done',
      });
    },
  };
};
