import { expect, test, vi } from 'vitest';
import { type Admitted, EVERYWHERE, type Refused } from '#call';
import { createLive } from './live.ts';

const admitted = (userId: string): Admitted => ({
  endpoint: '/mcp',
  address: '127.0.0.1',
  sessionId: undefined,
  client: { name: 'c', version: '1', capabilities: {} },
  caller: {
    workspaceId: 'w',
    kind: 'user',
    userId,
    role: 3,
    tokenId: userId,
    scope: EVERYWHERE,
    operations: null,
    isAuditor: false,
    owner: null,
    endsAt: null,
    permissions: {},
    preferences: {},
  },
});

const refused: Refused = { kind: 'refused', code: 'unauthenticated', reason: 'no' };

test('a change ends what is no longer welcome and tells streams only of lists that differ', async () => {
  let tools = 'one';
  const live = createLive({
    readmit: async (one) => (one.caller.userId === 'out' ? refused : one),
    digests: () => ({ tools, resources: 'same', prompts: 'same' }),
  });
  const told: string[][] = [];
  const ended: string[] = [];
  live.add({
    admitted: admitted('ada'),
    end: () => ended.push('ada'),
    onListChanged: (kinds) => told.push([...kinds]),
  });
  const { remove } = live.add({ admitted: admitted('gone'), end: () => ended.push('gone') });
  live.add({ admitted: admitted('out'), end: () => ended.push('out') });
  remove();
  await live.recheck(() => true);
  expect(ended).toEqual(['out']);
  expect(told).toEqual([]);
  tools = 'two';
  await live.recheck(({ caller }) => caller.userId === 'bob');
  expect(told).toEqual([]);
  await live.recheck(() => true);
  expect(told).toEqual([['tools']]);
  live.endAll();
  expect(ended).toEqual(['out', 'ada']);
});

test('what changed between the door and the stream still reaches it', async () => {
  const ended: string[] = [];
  const live = createLive({
    readmit: async () => refused,
    digests: () => ({ tools: '', resources: '', prompts: '' }),
  });
  live.add({ admitted: admitted('ada'), end: () => ended.push('ada'), onListChanged: () => {} });
  await vi.waitFor(() => expect(ended).toEqual(['ada']));
});
