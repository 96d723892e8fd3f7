import { expect, test } from 'vitest';
import { type Arrival, EVERYWHERE } from '#call';
import { createRateLimit } from '#lib/rate-limit';
import { createAnonymous } from './anonymous.ts';

const arrival = (endpoint: string, address = '192.0.2.1'): Arrival => ({
  endpoint,
  bearer: undefined,
  address,
  sessionId: undefined,
  client: undefined,
});

const build = (servers: Record<string, number>) => {
  const open = new Map(Object.entries(servers));
  const endpoints = {
    isOpen: () => true,
    forAnybody: (path: string) =>
      path === '/mcp/e/open' && open.size > 0 ? { workspaceId: 'w', servers: open } : undefined,
  };
  return { open, ...createAnonymous({ endpoints, take: createRateLimit(() => 0) }) };
};

test('anybody is nobody, and may use what the endpoint selects and nothing else', () => {
  expect(build({ files: 10 }).admit(arrival('/mcp/e/open'))).toEqual({
    workspaceId: 'w',
    kind: 'anonymous',
    userId: null,
    role: 3,
    operations: null,
    isAuditor: false,
    owner: null,
    endsAt: null,
    tokenId: null,
    scope: { ...EVERYWHERE, servers: ['files'], endpoints: ['/mcp/e/open'] },
    permissions: { files: { enabled: true } },
    preferences: {},
  });
});

test('elsewhere a token is needed', () => {
  expect(build({ files: 10 }).admit(arrival('/mcp'))).toBeUndefined();
});

test('is one and the same until the selection changes, so that its views are kept', () => {
  const { at, open } = build({ files: 10 });
  const before = at('/mcp/e/open');
  expect(at('/mcp/e/open')).toBe(before);
  open.set('notes', 10);
  expect(at('/mcp/e/open')).toMatchObject({ permissions: { files: { enabled: true }, notes: { enabled: true } } });
  open.clear();
  expect(at('/mcp/e/open')).toBeUndefined();
});

test('one address is let in so often a minute, whatever it asks, and others are not kept out by it', () => {
  const { admit } = build({ files: 10, notes: 5 });
  const admitted = (address: string) =>
    Array.from({ length: 100 }, () => admit(arrival('/mcp/e/open', address))).filter((who) => who && !('code' in who));
  expect(admitted('2001:db8::1')).toHaveLength(75);
  expect(admit(arrival('/mcp/e/open', '2001:db8::2'))).toMatchObject({ code: 'rate-limited' });
  expect(admitted('2001:db8:0:1::1')).toHaveLength(75);
});
