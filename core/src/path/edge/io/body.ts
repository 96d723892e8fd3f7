import type { IncomingMessage } from 'node:http';
import { readJson } from '#lib/json';
import { JsonFault } from '#lib/json-fault';
import { envelopeFault } from '../envelope.ts';

/** Why a body cannot be used: the HTTP status, the JSON-RPC code and a sentence. */
export type BadBody = { status: number; code: number; message: string };

const PARSE_ERROR = -32700;
const INVALID_REQUEST = -32600;

const tooLarge = (maxBytes: number): BadBody => ({
  status: 413,
  code: INVALID_REQUEST,
  message: `The request body is larger than ${maxBytes} bytes, the limit here (PETA_MAX_BODY_BYTES).`,
});

const read = (request: IncomingMessage, maxBytes: number): Promise<Buffer | BadBody> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) return void chunks.push(chunk);
      request.removeAllListeners('data');
      request.resume();
      resolve(tooLarge(maxBytes));
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', reject);
    request.on('close', () => reject(new Error('The client closed the connection before its request was complete.')));
  });

const utf8 = new TextDecoder('utf-8', { fatal: true });

const refused = (code: number, message: string): BadBody => ({ status: 400, code, message });

const decode = (bytes: Buffer): string | undefined => {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
};

const parse = (bytes: Buffer): { body: unknown } | BadBody => {
  const text = decode(bytes);
  if (text === undefined) return refused(PARSE_ERROR, 'Parse error: the body is not UTF-8.');
  try {
    const body = readJson(text);
    const fault = envelopeFault(body);
    return fault === undefined ? { body } : refused(INVALID_REQUEST, `Invalid request: ${fault}`);
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    if (error.kind === 'syntax') return refused(PARSE_ERROR, `Parse error: ${error.message}`);
    return refused(INVALID_REQUEST, `Invalid request: ${error.message}`);
  }
};

/**
 * Reads the JSON body of a POST, once: what is judged is what is passed on. Refuses what another parser might read
 * differently. Rejects only when the connection breaks.
 */
export const readJsonBody = async (
  request: IncomingMessage,
  maxBytes: number,
): Promise<{ body: unknown } | BadBody> => {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json')
    return { status: 415, code: INVALID_REQUEST, message: 'The Content-Type must be application/json.' };
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return tooLarge(maxBytes);
  const bytes = await read(request, maxBytes);
  if (!Buffer.isBuffer(bytes)) return bytes;
  return parse(bytes);
};
