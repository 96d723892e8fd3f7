import { Agent, type OutgoingHttpHeaders, request } from 'node:http';
import { initialize } from '../harness/raw.ts';
import { LEGACY, type Message, MODERN } from './messages.ts';
import { mutate } from './mutate.ts';
import { type Random, randomFor } from './random.ts';
import { PATIENCE_MS, SEED, type Send } from './run.ts';
import { type Answer, problemOf } from './well-formed.ts';

const STREAM_MS = 60;
const LONG = 'x'.repeat(20_000);
const agent = new Agent({ keepAlive: true, maxSockets: 32 });

type Shot = {
  session: number;
  method: string;
  path: string;
  headers: OutgoingHttpHeaders;
  body: Buffer;
  cutAfter?: number;
};

/** Sends as told and waits for the answer; undefined when the connection was closed. */
const fire = (url: URL, { method, path, headers, body, cutAfter }: Shot): Promise<Answer | undefined> =>
  new Promise((resolve, reject) => {
    const patience = setTimeout(() => reject(new Error(`no answer within ${PATIENCE_MS} ms`)), PATIENCE_MS);
    const finish = (answer: Answer | undefined) => {
      clearTimeout(patience);
      resolve(answer);
    };
    const sent = request({ agent, host: url.hostname, port: url.port, method, path, headers }, (response) => {
      const type = String(response.headers['content-type'] ?? '');
      let text = '';
      const answer = (isWhole: boolean): Answer => ({ status: response.statusCode ?? 0, type, text, isWhole });
      const cut = () => {
        finish(answer(false));
        sent.destroy();
      };
      // Streams without an end: those of GET, and of a subscription that is acknowledged.
      if (method === 'GET' && type.startsWith('text/event-stream')) setTimeout(cut, STREAM_MS);
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        if (text.includes('"notifications/subscriptions/acknowledged"')) setTimeout(cut, STREAM_MS);
      });
      response.on('end', () => finish(answer(true)));
      response.on('error', () => finish(answer(false)));
    });
    sent.on('error', () => finish(undefined));
    sent.setHeader('content-length', body.length + (cutAfter === undefined ? 0 : 10));
    if (cutAfter === undefined) sent.end(body);
    else {
      sent.write(body.subarray(0, cutAfter));
      setTimeout(() => sent.destroy(), STREAM_MS / 2);
    }
  });

const ODD_HEADERS: readonly [string, ...string[]] = [
  'content-type',
  'accept',
  'mcp-session-id',
  'mcp-protocol-version',
  'mcp-method',
  'mcp-name',
  'last-event-id',
  'authorization',
  'origin',
  'content-encoding',
  'transfer-encoding',
  'expect',
];
const ODD_VALUES: readonly [string, ...string[]] = [
  '',
  'x',
  '*/*',
  'application/json',
  'APPLICATION/JSON; charset=utf-16',
  'text/event-stream',
  'text/plain',
  'multipart/form-data; boundary=x',
  '2025-11-25',
  '2026-07-28',
  '2099-01-01',
  'tools/call',
  '=?base64?////?=',
  '=?base64?ZmFzdF9fZWNobw==?=',
  '\u00ff\u00fe',
  'Bearer',
  'Bearer peta_0123456789012345678901234567890123456789012',
  'gzip',
  'null',
  '-1',
  LONG.slice(0, 4_000),
  LONG,
];

const nameOf = ({ params }: Message): string | undefined => {
  const { name, uri } = (params ?? {}) as { name?: unknown; uri?: unknown };
  return typeof name === 'string' ? name : typeof uri === 'string' ? uri : undefined;
};

const spoilHeaders = (headers: OutgoingHttpHeaders, random: Random): void => {
  for (let turns = 1 + random.below(2); turns > 0; turns -= 1) {
    const name = random.pick(ODD_HEADERS);
    if (random.chance(0.4)) delete headers[name];
    // What Node's own client would take as an instruction is left to it.
    else if (name !== 'transfer-encoding' && name !== 'expect') headers[name] = random.pick(ODD_VALUES);
  }
};

/** Mutated requests of both eras to the endpoint; sessions are opened and forgotten on the way. */
export const towardsPeta = (mcpUrl: string, token: string, sessions: string[]): Send => {
  const url = new URL(mcpUrl);
  const shotOf = (random: Random): Shot => {
    const isModern = random.chance(0.5);
    const message = random.pick(isModern ? MODERN : LEGACY);
    const name = nameOf(message);
    const place = random.below(sessions.length);
    const session = sessions[place];
    const headers: OutgoingHttpHeaders = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${token}`,
      ...(isModern && { 'mcp-protocol-version': '2026-07-28', 'mcp-method': String(message.method) }),
      ...(isModern && name !== undefined && { 'mcp-name': name }),
      ...(!isModern && message.method !== 'initialize' && session !== undefined && { 'mcp-session-id': session }),
    };
    if (random.chance(0.15)) spoilHeaders(headers, random);
    const body = mutate(message, random);
    const method = random.chance(0.97) ? 'POST' : random.pick(['GET', 'DELETE', 'PUT', 'HEAD', 'OPTIONS', 'PATCH']);
    const path = random.chance(0.98)
      ? url.pathname
      : random.pick(['/mcp/', '/mcp/e/none', '/mcp?token=x', '//mcp', '/']);
    return {
      session: place,
      method,
      path,
      headers,
      body,
      ...(random.chance(0.01) && { cutAfter: random.below(body.length + 1) }),
    };
  };
  return async (index) => {
    const shot = shotOf(randomFor(SEED, index));
    const answer = await fire(url, shot);
    const used = sessions[shot.session];
    // A DELETE that came through, or time, has ended it.
    if (answer?.status === 404 && used !== undefined && shot.headers['mcp-session-id'] === used)
      sessions[shot.session] = await initialize(mcpUrl, token);
    const problem = answer && problemOf(answer);
    const told =
      problem &&
      `${problem}\n  ${shot.method} ${shot.path} ${JSON.stringify(shot.headers).slice(0, 600)}\n  ${shot.body.toString('latin1').slice(0, 1_500)}`;
    return { count: 1, problem: told?.replaceAll(token, '…') };
  };
};
