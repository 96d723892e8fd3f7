import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { readJson } from '#lib/json';
import { clearedCall } from './test-call.ts';
import { createTickets } from './tickets.ts';

const KEY = randomBytes(32);
const TTL_MS = 1_000;
const at = (clock = { now: 0 }) => createTickets({ key: KEY, now: () => clock.now, ttlMs: TTL_MS });
const KEPT = { server: 'its own state' };
const call = clearedCall();

test('a ticket gives back what was sealed, on every replica that has the key', () => {
  const ticket = at().seal(call, KEPT);
  expect(at().open(clearedCall(), ticket)).toEqual(KEPT);
  expect(ticket).not.toContain(Buffer.from('its own').toString('base64url').slice(0, 8));
  expect(createTickets({ key: randomBytes(32), now: () => 0, ttlMs: TTL_MS }).open(call, ticket)).toBeUndefined();
});

test('the same request written anew is the same request', () => {
  const ticket = at().seal(call, KEPT);
  const params = {
    _meta: { progressToken: 9 },
    requestState: ticket,
    inputResponses: { q1: {} },
    arguments: { b: [{ d: 'x', c: null }], a: 1 },
    name: 'files__own',
  };
  expect(at().open(clearedCall({ params }), ticket)).toEqual(KEPT);
});

const { caller } = call;
test.each([
  ['another person', { caller: { ...caller, userId: 'bob' } }],
  ['another kind of caller', { caller: { ...caller, kind: 'anonymous' as const } }],
  ['another workspace', { caller: { ...caller, workspaceId: 'v' } }],
  ['another endpoint', { endpoint: '/mcp/e/x' }],
  ['another method', { method: 'prompts/get' }],
  ['another server', { capability: { ...call.capability, serverId: 'other' } }],
  ['another tool', { capability: { ...call.capability, name: 'other' } }],
  ['other arguments', { params: { ...call.params, arguments: { a: 2 } } }],
  ['arguments in another order', { params: { ...call.params, arguments: { a: 1, b: [{ d: 'x' }, { c: null }] } } }],
  ['a number with other digits', { params: { ...call.params, arguments: { a: readJson('1.0') as number } } }],
])('%s cannot use it', (_who, change) => {
  expect(at().open(clearedCall(change), at().seal(call, KEPT))).toBeUndefined();
});

test('it is good for its time and not longer', () => {
  const clock = { now: 5_000 };
  const ticket = at(clock).seal(call, KEPT);
  clock.now += TTL_MS - 1;
  expect(at(clock).open(call, ticket)).toEqual(KEPT);
  clock.now += 1;
  expect(at(clock).open(call, ticket)).toBeUndefined();
});

test('no bit of it can be changed, and rubbish is none', () => {
  const tickets = at();
  const bytes = Buffer.from(tickets.seal(call, KEPT), 'base64url');
  for (let position = 0; position < bytes.length; position += 1) {
    const changed = Buffer.from(bytes);
    changed[position] = (changed[position] ?? 0) ^ 1;
    expect(tickets.open(call, changed.toString('base64url'))).toBeUndefined();
  }
  for (const rubbish of ['', 'x', '{}', 'A'.repeat(10_000)]) expect(tickets.open(call, rubbish)).toBeUndefined();
});

test('no two tickets of one call are alike', () => {
  expect(at().seal(call, KEPT)).not.toBe(at().seal(call, KEPT));
});
