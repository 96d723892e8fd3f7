import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Exchange } from '../path/edge/exchange.ts';
import { keepAtEndpoint } from './session-endpoint.ts';

const key = randomBytes(32);

type Where = { endpoint: string; bearer?: string };
/** What the client got when a session was opened, or which session was seen when it sent an id. */
const through = async ({ endpoint, bearer }: Where, sent?: string, secret = key) => {
  const told: { id?: string | undefined; seen?: string | undefined } = {};
  const note = (headers: Record<string, string> = {}) => {
    told.id = headers['mcp-session-id'];
  };
  const exchange: Exchange = {
    method: 'POST',
    header: (name) => (name === 'mcp-session-id' ? sent : 'untouched'),
    arrival: { endpoint, bearer, address: '' },
    body: undefined,
    gone: new AbortController().signal,
    json: (_status, _body, headers) => note(headers),
    empty: (_status, headers) => note(headers),
    stream(headers) {
      note(headers);
      return { send: () => {}, keepAlive: () => {}, end: () => {} };
    },
  };
  await keepAtEndpoint(secret, async (one) => {
    told.seen = one.header('mcp-session-id');
    expect(one.header('accept')).toBe('untouched');
    if (sent === undefined) one.json(200, {}, { 'mcp-session-id': 'the-session' });
  })(exchange);
  return told;
};

const here = { endpoint: '/mcp/e/here', bearer: 'a' };

test('a session is known where it was opened, also with a successor of the token', async () => {
  const { id } = await through(here);
  expect(id).not.toBe('the-session');
  expect((await through(here, id)).seen).toBe('the-session');
  expect((await through({ ...here, bearer: 'b' }, id)).seen).toBe('the-session');
});

test.each<[string, Where]>([
  ['another endpoint', { ...here, endpoint: '/mcp' }],
  ['somebody without a token', { endpoint: '/mcp/e/here' }],
])('%s does not know it', async (_who, where) => {
  const { id } = await through(here);
  expect((await through(where, id)).seen).not.toBe('the-session');
});

test.each(['the-session', 'the-session.', 'the-session.AAAAAAAAAAAAAAAA', '.', ''])(
  '%j is no session',
  async (sent) => {
    expect((await through(here, sent)).seen).not.toBe('the-session');
  },
);

test('a mark of another Peta is none', async () => {
  const { id } = await through(here, undefined, randomBytes(32));
  expect((await through(here, id)).seen).not.toBe('the-session');
});
