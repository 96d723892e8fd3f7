import { expect, test } from 'vitest';
import { type Admitted, type Ask, EVERYWHERE, type Outcome } from '#call';
import { createAudit } from './audit.ts';
import type { Entry } from './entry.ts';

const admitted: Admitted = {
  endpoint: '/mcp',
  address: '127.0.0.1',
  sessionId: 's1',
  client: { name: 'claude', version: '1', capabilities: {} },
  caller: {
    workspaceId: 'w',
    kind: 'user',
    userId: 'ada',
    role: 3,
    tokenId: 't1',
    scope: EVERYWHERE,
    operations: null,
    isAuditor: false,
    owner: null,
    endsAt: null,
    permissions: {},
    preferences: {},
  },
};
const ask: Ask = {
  callId: '00000000-0000-4000-8000-000000000001',
  requestId: 7,
  method: 'tools/call',
  kind: 'tool',
  exposedName: 'github__merge',
  params: { name: 'github__merge', arguments: { number: 1, token: 'hunter2' } },
  notify: () => {},
  signal: new AbortController().signal,
};
const done: Outcome = { kind: 'done', result: {}, isToolError: false };

const create = (append: (entry: Entry) => Promise<void>) => createAudit({ journal: { append }, now: () => 1_000 });

test('the intent is written before the call runs and the outcome before it is told', async () => {
  const trail: string[] = [];
  const entries: Entry[] = [];
  const audit = create(async (entry) => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    entries.push(entry);
    trail.push(entry.event);
  });
  await audit.recorded(ask, admitted, async (note) => {
    trail.push('ran');
    note({ capability: { kind: 'tool', serverId: 'github', name: 'merge' }, rule: 'layers' });
    return done;
  });
  expect(trail).toEqual(['began', 'ran', 'ended']);
  expect(entries[0]).toMatchObject({ userId: 'ada', tokenId: 't1', requestId: '7', exposedName: 'github__merge' });
  expect(entries[1]).toMatchObject({
    id: ask.callId,
    serverId: 'github',
    name: 'merge',
    rule: 'layers',
    outcome: 'done',
  });
  expect(JSON.stringify(entries)).not.toContain('hunter2');
});

test('a call that cannot be recorded does not run, and an answer that cannot be recorded does not leave', async () => {
  let ran = false;
  const full = create(() => Promise.reject(new Error('ENOSPC')));
  const run = async () => {
    ran = true;
    return done;
  };
  await expect(full.recorded(ask, admitted, run)).rejects.toThrow('cannot write its audit log');
  expect(ran).toBe(false);
  const fillsUp = create((entry) =>
    entry.event === 'began' ? Promise.resolve() : Promise.reject(new Error('ENOSPC')),
  );
  await expect(fillsUp.recorded(ask, admitted, run)).rejects.toThrow('cannot write its audit log');
});

test('a fault is recorded as failed, without its inside', async () => {
  const entries: Entry[] = [];
  const audit = create(async (entry) => void entries.push(entry));
  await expect(audit.recorded(ask, admitted, () => Promise.reject(new Error('inside')))).rejects.toThrow('inside');
  expect(entries[1]).toMatchObject({ event: 'ended', outcome: 'failed' });
  expect(JSON.stringify(entries)).not.toContain('inside');
});

test('a flood at the door is counted, not written down line by line', async () => {
  const entries: Entry[] = [];
  const audit = create(async (entry) => void entries.push(entry));
  const arrival = { endpoint: '/mcp', bearer: 'peta_x', address: '10.0.0.1', sessionId: undefined, client: undefined };
  const refused = { kind: 'refused', code: 'unauthenticated', reason: 'no' } as const;
  for (let i = 0; i < 2_500; i += 1) await audit.refusedAtDoor(arrival, refused);
  expect(entries).toHaveLength(32);
  expect(entries.at(-1)?.error).toContain('1000 such refusals');
  expect(JSON.stringify(entries)).not.toContain('peta_x');
});

test('a flood at the door of one workspace takes nothing out of the log of another', async () => {
  const entries: Entry[] = [];
  const audit = create(async (entry) => void entries.push(entry));
  const arrival = { endpoint: '/mcp', bearer: 'peta_x', address: '10.0.0.1', sessionId: undefined, client: undefined };
  const refused = { kind: 'refused', code: 'unauthenticated', reason: 'no' } as const;
  for (let i = 0; i < 40; i += 1) await audit.refusedAtDoor(arrival, { ...refused, workspaceId: 'a' });
  await audit.refusedAtDoor(arrival, { ...refused, workspaceId: 'b' });
  await audit.refusedAtDoor(arrival, refused);
  expect(entries.map(({ workspaceId }) => workspaceId)).toEqual([...Array(30).fill('a'), 'b', 'default']);
});

test('a flood from ever new addresses is counted too', async () => {
  const entries: Entry[] = [];
  const audit = create(async (entry) => void entries.push(entry));
  const refused = { kind: 'refused', code: 'unauthenticated', reason: 'no' } as const;
  const knock = (i: number) =>
    audit.refusedAtDoor(
      { endpoint: '/mcp', bearer: 'x', address: `fd00::${i.toString(16)}`, sessionId: undefined, client: undefined },
      refused,
    );
  for (let i = 0; i < 20_000; i += 1) await knock(i);
  expect(entries).toHaveLength(1_001);
  expect(entries.at(-1)?.error).toContain('10000 such refusals');
});

test('an administrative change is written down with who, what and from where, without its secrets', async () => {
  const entries: Entry[] = [];
  const audit = create(async (entry) => void entries.push(entry));
  await audit.changed({
    caller: admitted.caller,
    address: '127.0.0.1',
    operation: 'servers.update',
    target: 'github',
    details: { asked: { env: { GITHUB_TOKEN: 'hunter2' }, enabled: false } },
    outcome: 'done',
  });
  expect(entries[0]).toMatchObject({ kind: 'admin', userId: 'ada', name: 'github', operation: 'servers.update' });
  expect(entries[0]?.arguments).toMatchObject({ asked: { enabled: false } });
  expect(JSON.stringify(entries)).not.toContain('hunter2');
});

test('a password in the address of a resource is not written down', async () => {
  const entries: Entry[] = [];
  const audit = create(async (entry) => void entries.push(entry));
  const uri = 'postgres://ada:hunter2@db/table';
  await audit.recorded({ ...ask, kind: 'resource', exposedName: uri, params: { uri } }, admitted, async (note) => {
    note({ capability: { kind: 'resource', serverId: 'db', name: uri } });
    return done;
  });
  expect(JSON.stringify(entries)).not.toContain('hunter2');
});
