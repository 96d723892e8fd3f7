import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ClientKind, JsonObject, ServerRecord } from '#call';
import { type Log, silentLog } from '../lib/log.ts';
import { createExplorer } from './explore.ts';

const server = (serverId: string, revision = 'r') => ({ workspaceId: 'w', serverId, revision }) as ServerRecord;
const FORMS: JsonObject = { elicitation: {} };

let asked: [serverId: string, capabilities: JsonObject][];
let known: Set<string>;
let warned: object[];
let answer: () => Promise<void>;
let explore: ReturnType<typeof createExplorer>;

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  known = new Set();
  warned = [];
  answer = async () => {};
  const nameOf = (serverId: string, kinds: readonly ClientKind[]) => `${serverId} ${kinds}`;
  const log: Log = { ...silentLog, warn: (_what, more) => void warned.push(more ?? {}) };
  explore = createExplorer({
    async ask({ serverId, ...rest }, capabilities) {
      expect(rest).toEqual({ workspaceId: 'w' });
      asked.push([serverId, capabilities]);
      await answer();
      known.add(nameOf(serverId, Object.keys(capabilities) as ClientKind[]));
    },
    isExplored: ({ serverId }, kinds) => known.has(nameOf(serverId, kinds)),
    waitMs: 5_000,
    now: Date.now,
    log,
  });
});
afterEach(() => {
  vi.useRealTimers();
});

test('each server is asked once, however many clients of a kind come at once', async () => {
  answer = () => new Promise((done) => setTimeout(done, 100));
  const servers = [server('a'), server('b')];
  const all = Promise.all([explore(servers, FORMS), explore(servers, { elicitation: { form: {} } })]);
  await vi.advanceTimersByTimeAsync(100);
  await all;
  expect(asked).toEqual([
    ['a', FORMS],
    ['b', FORMS],
  ]);
  answer = async () => {};
  await explore([server('a')], { roots: {} });
  expect(asked).toHaveLength(3);
  expect(warned).toEqual([]);
});

test('one that takes long is waited for once and no more', async () => {
  answer = () => new Promise((done) => setTimeout(done, 60_000));
  let isOver = false;
  const first = explore([server('a')], FORMS).then(() => {
    isOver = true;
  });
  await vi.advanceTimersByTimeAsync(4_999);
  expect(isOver).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  await first;
  await explore([server('a')], FORMS);
  expect(asked).toHaveLength(1);
});

test('one that cannot say is left alone for a while, unless it is configured anew', async () => {
  answer = () => Promise.reject(new Error('It does not start.'));
  await explore([server('a')], FORMS);
  await explore([server('a')], FORMS);
  expect(asked).toHaveLength(1);
  expect(warned).toEqual([{ workspaceId: 'w', serverId: 'a', reason: 'It does not start.' }]);
  await explore([server('a', 's')], FORMS);
  expect(asked).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(61_000);
  answer = async () => {};
  await explore([server('a')], FORMS);
  expect(asked).toHaveLength(3);
  expect(warned).toHaveLength(2);
});
