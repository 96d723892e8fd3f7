import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Caller, JsonObject } from '#call';
import { asObject } from './errors.ts';
import type { Present } from './run.ts';
import type { Advance, Advanced } from './waiting.ts';

/** Messages between processes. */
type Mail = {
  send(to: string, body: object): Promise<void>;
  listen(listener: (body: unknown) => void): () => void;
};

type Options = {
  mail: Mail;
  processId: string;
  /** Does the process of this id still serve? */
  isAlive(processId: string): Promise<boolean>;
  /** Goes on, here, with a call that waits here. */
  advance: Advance;
};

const ALIVE_EVERY_MS = 3_000;

const Message = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('call-resume'),
    talk: z.string(),
    from: z.string(),
    parked: z.string(),
    responses: z.looseObject({}),
    caller: z.looseObject({}),
    address: z.string(),
    meta: z.looseObject({}),
  }),
  z.object({ kind: z.literal('call-left'), talk: z.string() }),
  z.object({ kind: z.literal('call-said'), talk: z.string(), method: z.string(), params: z.looseObject({}) }),
  z.object({ kind: z.literal('call-next'), talk: z.string(), next: z.looseObject({}).nullable() }),
]);
type Resume = Extract<z.output<typeof Message>, { kind: 'call-resume' }>;

/** One call that is gone on with elsewhere, as the process of its client sees it. */
type Talk = { call: Present; settle(next: Advanced | undefined): void };

/** Calls that wait in one process and are answered in another: the client need not come back to the same one. */
export const createElsewhere = ({ mail, processId, isAlive, advance }: Options) => {
  const talks = new Map<string, Talk>();
  /** Calls that wait here and were taken up elsewhere, by the talk about them. */
  const taken = new Map<string, AbortController>();

  const resumeHere = async ({ talk, from, parked, responses, caller, address, meta }: Resume): Promise<void> => {
    const left = new AbortController();
    taken.set(talk, left);
    // Said in order: each waits for the one before.
    let last: Promise<unknown> = Promise.resolve();
    const tell = (body: object) => {
      last = last.then(() => mail.send(from, { ...body, talk })).catch(() => {});
      return last;
    };
    const notify = (method: string, params: JsonObject) => void tell({ kind: 'call-said', method, params });
    const waiting = {
      caller: caller as unknown as Caller,
      address,
      params: { _meta: meta as JsonObject },
      notify,
      signal: left.signal,
    };
    const next = await advance(parked, responses as JsonObject, waiting).catch(() => undefined);
    taken.delete(talk);
    await tell({ kind: 'call-next', next: next ?? null });
  };

  mail.listen((body) => {
    const message = Message.safeParse(body).data;
    switch (message?.kind) {
      case 'call-resume':
        return void resumeHere(message);
      case 'call-left':
        return taken.get(message.talk)?.abort();
      case 'call-said':
        return talks.get(message.talk)?.call.notify(message.method, message.params as JsonObject);
      case 'call-next':
        return talks.get(message.talk)?.settle((message.next ?? undefined) as Advanced | undefined);
    }
  });

  /** Goes on with a call that waits in another process. Undefined when it does not wait there any more. */
  return async (at: string, parked: string, responses: JsonObject, call: Present): Promise<Advanced | undefined> => {
    if (!(await isAlive(at))) return undefined;
    const talk = randomUUID();
    const { workspaceId, kind, userId } = call.caller;
    const who = { caller: { workspaceId, kind, userId }, address: call.address };
    const meta = asObject(call.params._meta) ?? {};
    return new Promise((resolve, reject) => {
      const settle = (next: Advanced | undefined) => {
        clearInterval(timer);
        call.signal.removeEventListener('abort', leave);
        talks.delete(talk);
        resolve(next);
      };
      const leave = () => {
        void mail.send(at, { kind: 'call-left', talk }).catch(() => {});
        settle({ outcome: { kind: 'cancelled' } });
      };
      const timer = setInterval(() => {
        isAlive(at).then(
          (still) => still || settle(undefined),
          () => {},
        );
      }, ALIVE_EVERY_MS);
      talks.set(talk, { call, settle });
      call.signal.addEventListener('abort', leave);
      const message = { kind: 'call-resume', talk, from: processId, parked, responses, ...who, meta };
      mail.send(at, message).catch((error: unknown) => {
        settle(undefined);
        reject(error);
      });
    });
  };
};
