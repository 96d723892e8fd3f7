import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

type Target = {
  /** The address clients reach us by: what the request says of it is not asked. */
  issuer: string;
  /** Path and query for the authorization server. */
  url: string;
  address: string;
  /** The body, where there is one, and what it is. */
  body?: { text: string; type: string } | undefined;
};

const DROPPED = ['transfer-encoding', 'content-encoding', 'x-forwarded-host', 'x-forwarded-proto', 'x-forwarded-for'];

/**
 * The request as the authorization server is to see it: at the public address, whatever proxy it came through, and with
 * a body that was read already.
 */
export const providerRequest = (raw: IncomingMessage, { issuer, url, address, body }: Target): IncomingMessage => {
  const { host, protocol, pathname } = new URL(issuer);
  const kept = Object.fromEntries(Object.entries(raw.headers).filter(([name]) => !DROPPED.includes(name)));
  const bytes = body && Buffer.from(body.text);
  const headers = {
    ...kept,
    host,
    'x-forwarded-proto': protocol.slice(0, -1),
    'x-forwarded-for': address,
    ...(body && { 'content-type': body.type, 'content-length': String(bytes?.length ?? 0) }),
  };
  return Object.create(raw, {
    url: { value: url, writable: true },
    originalUrl: { value: undefined },
    headers: { value: headers },
    baseUrl: { value: pathname.replace(/\/$/, '') },
    readable: { value: true },
    readableEncoding: { value: null },
    iterator: { value: () => Readable.from(bytes ? [bytes] : [])[Symbol.asyncIterator]() },
  }) as IncomingMessage;
};
