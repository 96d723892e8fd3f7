import type { IncomingMessage, ServerResponse } from 'node:http';
import { bearerIn } from '#lib/bearer';
import type { Exchange, Message, Stream } from '../exchange.ts';
import { CODE, errorMessage, faultError, textOf } from '../wire.ts';
import { readJsonBody } from './body.ts';

export type EntryOptions = {
  serve(exchange: Exchange): Promise<void>;
  maxBodyBytes: number;
  /** A client that reads so slowly that this much waits for it is cut off. */
  maxBufferedBytes: number;
  onFault(error: unknown): void;
  /** Where a client that reached this endpoint under this host finds out how to get a token for it. */
  metadataUrl(endpoint: string, host: string | undefined): string;
};

export const bearerOf = (request: IncomingMessage): string | undefined => bearerIn(request.headers.authorization);

export const respond = (
  response: ServerResponse,
  status: number,
  body: Message | undefined,
  headers: Record<string, string> = {},
) => {
  if (response.headersSent || response.destroyed) return;
  if (!body) return response.writeHead(status, { 'content-length': '0', ...headers }).end();
  const text = textOf(body) ?? '';
  response
    .writeHead(status, {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(text)),
      'cache-control': 'no-store',
      ...headers,
    })
    .end(text);
};

const event = (json: string, id: string | undefined): string =>
  `${id === undefined ? '' : `id: ${id}\n`}event: message\ndata: ${json}\n\n`;

export const openStream = (
  response: ServerResponse,
  maxBufferedBytes: number,
  headers: Record<string, string> = {},
): Stream => {
  const write = (text: string) => {
    if (response.writableEnded || response.destroyed) return;
    response.write(text);
    if (response.writableLength > maxBufferedBytes) response.destroy();
  };
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
    ...headers,
  });
  response.flushHeaders();
  return {
    send: (message, eventId) => {
      const text = textOf(message);
      if (text !== undefined) write(event(text, eventId));
    },
    sendText: (json, eventId) => write(event(json, eventId)),
    prime: (eventId, retryMs) => write(`id: ${eventId}\nretry: ${retryMs}\ndata: \n\n`),
    keepAlive: () => write(': keep-alive\n\n'),
    end: () => response.end(),
    onClosed(listener) {
      if (response.closed) listener();
      else response.once('close', listener);
    },
  };
};

/** Turns what node:http gives into an `Exchange`, and faults into an answer. Never rejects. */
export const createHttpEntry = (options: EntryOptions) => {
  const { serve, maxBodyBytes, maxBufferedBytes, onFault, metadataUrl } = options;
  const toExchange = (
    request: IncomingMessage,
    response: ServerResponse,
    endpoint: string,
    body: unknown,
  ): Exchange => {
    const gone = new AbortController();
    response.on('close', () => {
      if (!response.writableFinished) gone.abort();
    });
    return {
      method: request.method ?? 'GET',
      header: (name) => {
        const value = request.headers[name];
        return Array.isArray(value) ? value.join(', ') : value;
      },
      arrival: { endpoint, bearer: bearerOf(request), address: request.socket.remoteAddress ?? '' },
      resourceMetadata: metadataUrl(endpoint, request.headers.host),
      body,
      gone: gone.signal,
      json: (status, message, headers) => respond(response, status, message, headers),
      empty: (status, headers) => respond(response, status, undefined, headers),
      stream: (headers) => openStream(response, maxBufferedBytes, headers),
    };
  };

  return async (request: IncomingMessage, response: ServerResponse, endpoint: string): Promise<void> => {
    try {
      const read = request.method === 'POST' ? await readJsonBody(request, maxBodyBytes) : { body: undefined };
      if ('status' in read)
        respond(response, read.status, errorMessage(null, { code: read.code, message: read.message }));
      else await serve(toExchange(request, response, endpoint, read.body));
    } catch (error) {
      // A client that went away in the middle of its request is no fault of ours.
      if (!request.complete) return void response.destroy();
      onFault(error);
      const fault = faultError(error);
      if (response.headersSent) response.end();
      else respond(response, fault.status, errorMessage(null, { ...fault.error, code: CODE.internal }));
    }
  };
};
