import { expect, test } from 'vitest';
import { type Call, type Caller, EVERYWHERE, type ServerRecord } from '#call';
import { createPolicy } from './policy.ts';

const server = (over: Partial<ServerRecord> = {}): ServerRecord => ({
  workspaceId: 'w',
  serverId: 'github',
  serverName: 'GitHub',
  enabled: true,
  publicAccess: true,
  anonymousAccess: false,
  anonymousRateLimit: 10,
  lazyStartEnabled: true,
  environment: null,
  switches: { enabled: true },
  revision: 'r',
  ...over,
});
const call = (caller: Partial<Caller> = {}, kind: 'tool' | 'prompt' = 'tool'): Call => ({
  callId: 'c',
  requestId: 1,
  method: 'tools/call',
  kind,
  exposedName: 'github__merge',
  params: {},
  notify: () => {},
  signal: new AbortController().signal,
  endpoint: '/mcp',
  address: '127.0.0.1',
  sessionId: undefined,
  client: { name: 'claude', version: '1', capabilities: {} },
  capability: { kind, serverId: 'github', name: 'merge' },
  caller: {
    workspaceId: 'w',
    kind: 'user',
    userId: 'ada',
    role: 3,
    tokenId: 't',
    scope: EVERYWHERE,
    operations: null,
    isAuditor: false,
    owner: null,
    endsAt: null,
    permissions: {},
    preferences: {},
    ...caller,
  },
});
const policyOf = (record: ServerRecord, take = (_key: string, _perMinute: number) => true) =>
  createPolicy({
    take,
    server: (workspaceId, serverId) =>
      workspaceId === record.workspaceId && serverId === record.serverId ? record : undefined,
  });

test('a call that every layer allows is cleared', () => {
  const wanted = call();
  expect(policyOf(server()).decide(wanted)).toEqual({ kind: 'cleared', call: wanted, rule: 'layers' });
});

test.each<[string, Partial<ServerRecord>, Partial<Caller>]>([
  ['server', { enabled: false }, {}],
  ['administrator', { publicAccess: false }, {}],
  ['person', {}, { preferences: { claude: { github: { enabled: true, tools: { merge: { enabled: false } } } } } }],
  ['token', {}, { scope: { ...EVERYWHERE, servers: [] } }],
])('what the %s layer hides is refused as unknown, and the rule names the layer', (layer, record, caller) => {
  expect(policyOf(server(record)).decide(call(caller))).toMatchObject({
    kind: 'refused',
    code: 'unknown-capability',
    rule: `layer:${layer}`,
    reason: expect.stringMatching(/^[A-Z].*\.$/),
  });
});

test('a server of another workspace is as unknown as one that does not exist', () => {
  expect(policyOf(server({ workspaceId: 'other' })).decide(call())).toMatchObject({ code: 'unknown-capability' });
  expect(policyOf(server({ serverId: 'other' })).decide(call())).toMatchObject({ code: 'unknown-capability' });
});

test.each([0, 1, 2] as const)('a tool of danger level %i runs only below 2', (dangerLevel) => {
  const merge = { merge: { enabled: true, dangerLevel } };
  const decision = policyOf(server()).decide(call({ permissions: { github: { enabled: true, tools: merge } } }));
  expect(decision).toMatchObject(
    dangerLevel === 2
      ? { kind: 'refused', code: 'needs-approval', reason: expect.stringContaining('It was not run.') }
      : { kind: 'cleared' },
  );
});

test('a hidden tool that needs approval does not show that it exists', () => {
  const merge = { merge: { enabled: false, dangerLevel: 2 as const } };
  expect(policyOf(server({ switches: { enabled: true, tools: merge } })).decide(call())).toMatchObject({
    code: 'unknown-capability',
  });
});

test('calls without a token are counted by server and address against the limit of the server', () => {
  const asked: [string, number][] = [];
  const policy = policyOf(server({ anonymousRateLimit: 7 }), (...count) => {
    asked.push(count);
    return false;
  });
  expect(policy.decide(call({ kind: 'anonymous' }))).toMatchObject({ code: 'rate-limited', rule: 'anonymous-limit' });
  expect(policy.decide(call())).toMatchObject({ kind: 'cleared' });
  expect(asked).toEqual([['w/github 127.0.0.1', 7]]);
});

test('whoever lost a tool is told of its tasks as of tasks that never were', () => {
  const about = { kind: 'about' as const, handle: 'h', isDetailed: true };
  const off = server({ switches: { enabled: true, tools: { merge: { enabled: false } } } });
  expect(policyOf(off).decide({ ...call(), task: about })).toMatchObject({ kind: 'refused', code: 'unknown-task' });
});

test('a task that runs needs no approval to be asked about', () => {
  const about = { kind: 'about' as const, handle: 'h', isDetailed: true };
  const dangerous = server({ switches: { enabled: true, tools: { merge: { enabled: true, dangerLevel: 2 } } } });
  expect(policyOf(dangerous).decide({ ...call(), task: about }).kind).toBe('cleared');
  expect(policyOf(dangerous).decide(call())).toMatchObject({ code: 'needs-approval' });
});
