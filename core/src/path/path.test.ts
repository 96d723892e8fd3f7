import { expect, test } from 'vitest';
import { createAudit } from './audit/audit.ts';
import { type Admitted, type Arrival, type Ask, type Caller, EVERYWHERE, type ServerRecord } from './call.ts';
import { createPath } from './path.ts';
import { createPolicy } from './policy/policy.ts';
import { createSessions } from './session/sessions.ts';
import { memoryStore } from './session/test-store.ts';

const server: ServerRecord = {
  workspaceId: 'w',
  serverId: 's',
  serverName: 'S',
  enabled: true,
  publicAccess: false,
  anonymousAccess: false,
  anonymousRateLimit: 10,
  lazyStartEnabled: true,
  environment: null,
  switches: { enabled: true },
  revision: 'r',
};
const caller: Caller = {
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
  permissions: { s: { enabled: true } },
  preferences: {},
};
const arrival: Arrival = {
  endpoint: '/mcp',
  bearer: 'peta_secret',
  address: '127.0.0.1',
  sessionId: undefined,
  client: { name: 'claude', version: '1', capabilities: {} },
};
const ask: Ask = {
  callId: '00000000-0000-4000-8000-000000000001',
  requestId: 1,
  method: 'tools/call',
  kind: 'tool',
  exposedName: 's__t',
  params: {},
  notify: () => {},
  signal: new AbortController().signal,
};

/** The real stages, with what lies outside of them written down. */
const build = ({ who = caller, canWrite = true } = {}) => {
  const trail: string[] = [];
  const path = createPath({
    identity: { identify: async () => who, current: async () => who },
    session: createSessions({ store: memoryStore(), now: () => 0, idleMs: 1_000 }),
    catalog: {
      view: async () => [],
      resolve: async (asked, admitted) => ({
        ...asked,
        ...admitted,
        capability: { kind: 'tool', serverId: 's', name: 't' },
      }),
      present: (_call, outcome) => outcome,
    },
    tasks: {
      resolve: async () => ({ kind: 'refused', code: 'unknown-task', reason: 'there are none' }),
      settled: () => undefined,
      present: async (_call, outcome) => outcome,
      list: async () => ({ kind: 'done', result: { tasks: [] }, isToolError: false }),
    },
    policy: createPolicy({ server: () => server, take: () => true }),
    downstream: {
      send: async (call) => {
        trail.push(`sent ${Object.keys(call).includes('bearer') ? 'with' : 'without'} the bearer`);
        return { kind: 'done', result: {}, isToolError: false };
      },
    },
    audit: createAudit({
      now: () => 0,
      journal: {
        append: async ({ event, rule, outcome }) => {
          if (!canWrite) throw new Error('disk full');
          trail.push([event, rule, outcome].filter(Boolean).join(' '));
        },
      },
    }),
  });
  const admit = async (): Promise<Admitted> => {
    const admitted = await path.admit(arrival);
    if ('code' in admitted) throw new Error(admitted.reason);
    return admitted;
  };
  return { path, trail, admit };
};

test('an allowed call reaches its server between two records, and the bearer stops at the door', async () => {
  const { path, trail, admit } = build();
  await path.call(ask, await admit());
  expect(trail).toEqual(['began', 'sent without the bearer', 'ended layers done']);
});

test('a call that no layer allows never reaches a server', async () => {
  const { path, trail, admit } = build({ who: { ...caller, permissions: {} } });
  expect(await path.call(ask, await admit())).toMatchObject({ kind: 'refused', code: 'unknown-capability' });
  expect(trail).toEqual(['began', 'ended layer:administrator refused']);
});

test('a call that cannot be recorded does not run', async () => {
  const { path, trail, admit } = build({ canWrite: false });
  await expect(path.call(ask, await admit())).rejects.toThrow('cannot write its audit log');
  expect(trail).toEqual([]);
});
