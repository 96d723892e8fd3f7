import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Exchange } from '../path/edge/exchange.ts';

const SESSION = 'mcp-session-id';
const MARK_LENGTH = 16;

type Headers = Record<string, string>;

/**
 * Keeps a session at the endpoint where it was opened, and one that was opened without a token from those who have one:
 * clients get its id with a mark of both, and anywhere else the id is of no session.
 */
export const keepAtEndpoint = (key: Buffer, serve: (exchange: Exchange) => Promise<void>) => {
  const markOf = (id: string, { endpoint, bearer }: Exchange['arrival']): string =>
    createHmac('sha256', key)
      .update(JSON.stringify([id, endpoint, bearer === undefined]))
      .digest('base64url')
      .slice(0, MARK_LENGTH);

  /** The session's own id, or what was sent where the mark is not of this endpoint: no session has that. */
  const ownId = (sent: string, arrival: Exchange['arrival']): string => {
    const at = sent.lastIndexOf('.');
    const [id, mark] = [sent.slice(0, Math.max(0, at)), Buffer.from(sent.slice(at + 1))];
    const expected = Buffer.from(markOf(id, arrival));
    return mark.length === expected.length && timingSafeEqual(mark, expected) ? id : `${sent}.`;
  };

  return (exchange: Exchange): Promise<void> => {
    const { arrival } = exchange;
    const marked = (headers: Headers | undefined): Headers | undefined => {
      const id = headers?.[SESSION];
      return id === undefined ? headers : { ...headers, [SESSION]: `${id}.${markOf(id, arrival)}` };
    };
    return serve({
      ...exchange,
      header(name) {
        const value = exchange.header(name);
        return name === SESSION && value !== undefined ? ownId(value, arrival) : value;
      },
      json: (status, body, headers) => exchange.json(status, body, marked(headers)),
      empty: (status, headers) => exchange.empty(status, marked(headers)),
      stream: (headers) => exchange.stream(marked(headers)),
    });
  };
};
