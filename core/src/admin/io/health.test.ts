import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createTestDatabase } from '../../db/test-database.ts';
import { openEnvelope } from '../../path/vault/envelope.ts';
import { createTestAdmin, type TestAdmin } from './test-admin.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let admin: TestAdmin;

beforeAll(async () => {
  database = await createTestDatabase();
  admin = await createTestAdmin({ db: database.db, openEnvelope });
});
afterAll(() => database.drop());
beforeEach(() => {
  admin.broken.database = true;
});

const ask = async (remoteAddress: string, headers: Record<string, string> = {}) => {
  const response = await admin.app.inject({ method: 'GET', url: '/health', remoteAddress, headers });
  return { status: response.statusCode, json: response.json() };
};

test('this machine sees how it is in full', async () => {
  for (const address of ['127.0.0.1', '::1', '::ffff:127.0.0.1'])
    expect((await ask(address)).json).toEqual({
      status: 'healthy',
      timestamp: expect.any(String),
      uptime: expect.any(Number),
      sessions: { active: 1, total: 2 },
      socketio: { onlineUsers: 0, totalConnections: 0 },
      servers: { notes: 'Online' },
      memory: expect.any(Object),
      database: 'reachable',
    });
});

test('others see only whether it is well, also through a proxy on this machine', async () => {
  expect((await ask('203.0.113.7')).json).toEqual({ status: 'healthy' });
  for (const header of ['x-forwarded-for', 'forwarded', 'via'])
    expect((await ask('127.0.0.1', { [header]: '203.0.113.7' })).json).toEqual({ status: 'healthy' });
});

test('administrators see it in full from anywhere, users and wrong tokens do not', async () => {
  const administrator = await admin.addPerson('administrator', 2);
  const user = await admin.addPerson('user', 3);
  const by = (token: string) => ask('203.0.113.7', { authorization: `Bearer ${token}` });
  expect((await by(administrator.token)).json).toHaveProperty('servers');
  for (const token of [user.token, 'peta_wrong']) expect((await by(token)).json).toEqual({ status: 'healthy' });
});

test('without its database it is degraded, and says so to load balancers', async () => {
  admin.broken.database = false;
  expect(await ask('203.0.113.7')).toEqual({ status: 503, json: { status: 'degraded' } });
});
