import { LRUCache } from 'lru-cache';
import type { JsonObject, Question } from '#call';
import { sleep } from '#lib/sleep';
import { asObject, RpcError } from './errors.ts';

type Told = (method: string, params: JsonObject) => void;

export const PAGE_DONE = 'notifications/elicitation/complete';
const URL_ELICITATION_REQUIRED = -32042;
const MAX_REMEMBERED = 1_000;

/** The pages that a server wants visited before it does what it was asked: an error of 2025-11-25 names them. */
export const pagesIn = (error: unknown): Question[] | undefined => {
  if (!(error instanceof RpcError) || error.code !== URL_ELICITATION_REQUIRED) return undefined;
  const { elicitations } = asObject(error.data) ?? {};
  if (!Array.isArray(elicitations) || elicitations.length === 0) return undefined;
  return elicitations.map((one) => ({ method: 'elicitation/create', params: { mode: 'url', ...asObject(one) } }));
};

/** Who was sent to which page of one server, so that whoever was sent hears when the page was done with. */
export const createPages = () => {
  const sent = new LRUCache<string, Told>({ max: MAX_REMEMBERED });

  return {
    sent({ elicitationId }: JsonObject, told: Told | undefined): void {
      if (typeof elicitationId === 'string' && told) sent.set(elicitationId, told);
    },

    /** Takes the word that a page was done with, if it is one and it is known who was sent there. */
    done(method: string, params: JsonObject): boolean {
      if (method !== PAGE_DONE) return false;
      const told = sent.get(String(params.elicitationId));
      told?.(method, params);
      return told !== undefined;
    },
  };
};

export type Pages = ReturnType<typeof createPages>;

/** The pages of one call that were done with. */
export const createVisits = () => {
  const done = new Set<unknown>();
  let changed = new AbortController();

  return {
    done({ elicitationId }: JsonObject): void {
      done.add(elicitationId);
      changed.abort();
      changed = new AbortController();
    },

    /** Waits until all of them were done with, but not longer than `ms`: a server need not say so. */
    async all(pages: readonly Question[], ms: number, signal: AbortSignal): Promise<void> {
      const deadline = Date.now() + ms;
      const isDone = () => pages.every(({ params }) => done.has(params.elicitationId));
      while (!isDone() && !signal.aborted && Date.now() < deadline)
        await sleep(deadline - Date.now(), AbortSignal.any([signal, changed.signal]));
    },
  };
};

export type Visits = ReturnType<typeof createVisits>;
