import { createHash } from 'node:crypto';
import { Client, type ClientOptions } from '@modelcontextprotocol/client';
import { LRUCache } from 'lru-cache';
import { HandshakeFailed } from './errors.ts';
import { faultOf, NO_MESSAGE } from './faults.ts';
import { createTap, type Take, type Tap, type Way } from './tap.ts';

/** Which servers were found to be old, so that they are not asked again. */
export type EraMemory = { isLegacy: boolean };

export type HandshakeOptions = {
  /** Opens the way to the server; called again when the server did not survive being asked for its era. */
  open(): Promise<Way>;
  protocol: 'auto' | 'legacy' | 'modern';
  startTimeoutMs: number;
  product: { name: string; version: string };
  /** Written when the era is found out, and read before asking. */
  memory?: EraMemory | undefined;
  /** Told, in a sentence, what an administrator should know of the server. */
  notice?: ((sentence: string) => void) | undefined;
  /** Aborts a handshake that is under way; the transport is closed. */
  signal?: AbortSignal | undefined;
};

export type Met = { tap: Tap; way: Way; client: Client };

const MODERN = '2026-07-28';
const PROBE_TIMEOUT_MS = 5_000;
const MAX_REMEMBERED = 1_000;

/** Remembers the era by what a server is launched with, of which only a digest is kept. */
export const createEraMemory = () => {
  const byDigest = new LRUCache<string, EraMemory>({ max: MAX_REMEMBERED });
  return (config: object): EraMemory => {
    const digest = createHash('sha256').update(JSON.stringify(config)).digest('base64');
    const memory = byDigest.get(digest) ?? { isLegacy: false };
    byDigest.set(digest, memory);
    return memory;
  };
};

/** One attempt; when it fails, the transport is closed and knows best why. */
const attempt = async (
  options: HandshakeOptions,
  clientOptions: ClientOptions,
  take: Take,
  isKnownLegacy: boolean,
): Promise<Met> => {
  const { protocol, startTimeoutMs, product, signal } = options;
  const way = await options.open();
  const tap = createTap(way, take);
  const abort = () => void tap.close().catch(() => {});
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort);
  const client = new Client(product, {
    ...clientOptions,
    versionNegotiation: {
      mode: protocol === 'modern' ? { pin: MODERN } : protocol,
      probe: { timeoutMs: Math.min(PROBE_TIMEOUT_MS, startTimeoutMs) },
    },
  });
  try {
    signal?.throwIfAborted();
    const prior = isKnownLegacy && { prior: { kind: 'legacy' as const } };
    await client.connect(tap, { timeout: startTimeoutMs, ...prior });
    signal?.throwIfAborted();
    return { tap, way, client };
  } catch (error) {
    // How it ends when it is told to is no reason.
    const { endedByItself } = tap;
    const reason = endedByItself ? tap.reason : undefined;
    await tap.close().catch(() => {});
    if (signal?.aborted) throw new HandshakeFailed('The server was stopped.', false);
    const fault = faultOf(error);
    throw new HandshakeFailed(reason ?? ('reason' in fault ? fault.reason : NO_MESSAGE), endedByItself);
  } finally {
    signal?.removeEventListener('abort', abort);
  }
};

/** Connects, finding out which era the server speaks. Rejects with `HandshakeFailed` or with what `open` rejects with. */
export const meet = async (options: HandshakeOptions, clientOptions: ClientOptions, take: Take): Promise<Met> => {
  const isAuto = options.protocol === 'auto';
  const { memory } = options;
  const tryAs = (isKnownLegacy: boolean) => attempt(options, clientOptions, take, isKnownLegacy);
  const wasLegacy = isAuto && memory?.isLegacy === true;
  // What was found out may have changed: a failure makes the next start ask again.
  if (memory) memory.isLegacy = false;
  const met = await tryAs(wasLegacy).catch((error: unknown) => {
    // Some old servers end when they are asked anything before initialize: start again without asking.
    if (error instanceof HandshakeFailed && error.endedByItself && isAuto && !wasLegacy) return tryAs(true);
    throw error;
  });
  if (memory) memory.isLegacy = met.client.getProtocolEra() !== 'modern';
  return met;
};
