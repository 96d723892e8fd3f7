import { randomBytes } from 'node:crypto';
import type { Message, Stream } from '../exchange.ts';
import { textOf } from '../wire.ts';

/** One thing said on a stream: its number and its JSON. */
export type StreamEvent = { number: number; text: string };

/** What is left of a stream for a client that comes back; `requestId` is the JSON of the id it answers, if it does. */
export type Replay = { events: StreamEvent[]; requestId: string | null; state: 'open' | 'ended' | 'abandoned' };

/** Where what is said on streams is kept for clients that come back. */
export type StreamStore = {
  /** False when the session has ended meanwhile: then nobody comes back. So does `append`. */
  begin(sessionId: string, id: string, requestId: string | null): Promise<boolean>;
  append(sessionId: string, id: string, events: readonly StreamEvent[], isLast: boolean): Promise<boolean>;
  /** Undefined when the session has no such stream. */
  replay(sessionId: string, id: string, after: number): Promise<Replay | undefined>;
  adopt(sessionId: string, id: string): Promise<void>;
};

/** `r`: answers one request. `s`: the session's own. */
type StreamKind = 'r' | 's';
export type EventId = { stream: string; kind: StreamKind; number: number };

const ID = /^([rs][A-Za-z0-9_-]{22})\.(\d{1,9})$/;
/** How long a client that lost the stream is asked to wait before it comes back. */
const RETRY_MS = 1_000;
const MAX_BATCH = 500;
const MAX_BATCH_CHARS = 1024 * 1024;
/** Of what waits to be kept there may be so much; notifications beyond it are left out. */
const MAX_WAITING_CHARS = 8 * 1024 * 1024;

const eventId = (stream: string, number: number): string => `${stream}.${number}`;

/** The stream and the number in an event id, or undefined when it is none of ours. */
export const parseEventId = (text: string): EventId | undefined => {
  const [, stream, number] = ID.exec(text) ?? [];
  if (stream === undefined) return undefined;
  return { stream, kind: stream.startsWith('r') ? 'r' : 's', number: Number(number) };
};

type Options = {
  store: StreamStore;
  sessionId: string;
  kind: StreamKind;
  /** Of a stream that answers one request: its id, as JSON. */
  requestId: string | null;
  /** Clients of older revisions take an event without data for a broken message. */
  isPrimed: boolean;
  /** From now on nobody can come back to it, for this reason. */
  onLost(error: unknown): void;
  /** All has been said and kept. */
  onEnd(): void;
  /** What was there before, of a stream that another process began. */
  existing?: { id: string; lastNumber: number };
};

/** `from` is the number of what was said last before the stream was attached. */
type Step = { event: StreamEvent } | { attach: Stream; after: number | undefined; from: number } | { last: true };

/**
 * A stream that outlives its connections: what is said is kept first and then sent, so that a client that comes back
 * hears everything, in order and once.
 */
export const createResumable = (options: Options) => {
  const { store, sessionId, kind, requestId, isPrimed, onLost, onEnd, existing } = options;
  const id = existing?.id ?? `${kind}${randomBytes(16).toString('base64url')}`;
  const steps: Step[] = [];
  let waitingChars = 0;
  let number = existing?.lastNumber ?? 0;
  let outlet: Stream | undefined;
  let isKept = true;
  let hasBegun = existing !== undefined;
  let isOver = false;
  let isWorking = false;

  const lost = (error: unknown): void => {
    isKept = false;
    onLost(error);
  };
  const keep = async (run: () => Promise<boolean>): Promise<void> => {
    if (!isKept) return;
    try {
      isKept = await run();
    } catch (error) {
      lost(error);
    }
  };

  const say = (events: readonly StreamEvent[], to: Stream | undefined): void => {
    for (const event of events) to?.sendText(event.text, isKept ? eventId(id, event.number) : undefined);
  };

  const attach = async (stream: Stream, after: number | undefined, from: number): Promise<void> => {
    await keep(async () => {
      if (after === undefined) return true;
      const replay = await store.replay(sessionId, id, after);
      say(replay?.events ?? [], stream);
      return true;
    });
    if (outlet !== stream) outlet?.end();
    outlet = stream;
    if (isKept && isPrimed && after === undefined) stream.prime(eventId(id, from), RETRY_MS);
  };

  /** The events at the head of what waits, as many as are kept at once. */
  const takeEvents = (): StreamEvent[] => {
    const events: StreamEvent[] = [];
    let chars = 0;
    for (const step of steps) {
      if (!('event' in step) || events.length >= MAX_BATCH || chars >= MAX_BATCH_CHARS) break;
      events.push(step.event);
      chars += step.event.text.length;
    }
    steps.splice(0, events.length);
    waitingChars -= chars;
    return events;
  };

  const takeStep = async (): Promise<void> => {
    const events = takeEvents();
    const next = steps[0];
    const isLast = next !== undefined && 'last' in next;
    if (events.length > 0 || isLast) await keep(() => store.append(sessionId, id, events, isLast));
    say(events, outlet);
    if (next === undefined || 'event' in next) return;
    steps.shift();
    if ('attach' in next) return attach(next.attach, next.after, next.from);
    outlet?.end();
    onEnd();
  };

  const work = async (): Promise<void> => {
    if (isWorking) return;
    isWorking = true;
    if (!hasBegun) await keep(() => store.begin(sessionId, id, requestId));
    hasBegun = true;
    while (steps.length > 0) await takeStep();
    isWorking = false;
  };
  const add = (step: Step): void => {
    steps.push(step);
    void work();
  };

  return {
    id,
    /** Says something to whoever listens, now or later. */
    send(message: Message): void {
      const isNotification = 'method' in message && !('id' in message);
      if (isOver || (isNotification && waitingChars > MAX_WAITING_CHARS)) return;
      const text = textOf(message);
      if (text === undefined) return;
      number += 1;
      waitingChars += text.length;
      add({ event: { number, text } });
    },
    /** From now on this is where it is said; with `after`, what was said since then comes first. */
    attach: (stream: Stream, after?: number): void => add({ attach: stream, after, from: number }),
    /** Nothing is said there any more. */
    detach(stream: Stream): void {
      if (outlet === stream) outlet = undefined;
    },
    isAttached: (): boolean => outlet !== undefined,
    /** Nothing more will be said. */
    end(): void {
      if (isOver) return;
      isOver = true;
      add({ last: true });
    },
  };
};

export type Resumable = ReturnType<typeof createResumable>;
