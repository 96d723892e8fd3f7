import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestDatabase } from '../db/test-database.ts';
import { openEnvelope } from '../path/vault/envelope.ts';
import { createTestAdmin, type TestAdmin } from './io/test-admin.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let admin: TestAdmin;
let token: string;

beforeAll(async () => {
  database = await createTestDatabase();
  admin = await createTestAdmin({ db: database.db, openEnvelope });
  token = (await admin.addPerson('owner', 1)).token;
});
afterAll(() => database.drop());
beforeEach(() => {
  for (const list of [admin.seen.changes, admin.seen.published, admin.seen.started]) list.length = 0;
});
afterEach(() => database.db.$client.query('delete from server'));

const launchConfig = { type: 'stdio', command: 'node', args: ['x.js'], env: { KEY: 'hunter2' } };
const create = (body: object = {}) =>
  admin.rest('POST', '/servers', { token, body: { serverId: 'notes', launchConfig, ...body } });
const ask = (method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: object) =>
  admin.rest(method, path, { token, body });

describe('a server', () => {
  test('is registered with its launch configuration sealed, and told to everybody', async () => {
    const { status, json } = await create();
    expect(status).toBe(200);
    expect(json.server).toMatchObject({ serverId: 'notes', serverName: 'notes', category: 5, transport: 'stdio' });
    expect([...admin.seen.sealed.values()].at(-1)).toMatchObject(launchConfig);
    expect(admin.seen.published).toEqual(['server notes']);
    expect(admin.seen.changes).toMatchObject([
      { operation: 'servers.create', target: 'notes', details: { asked: { launchConfig: '[secret]' } } },
    ]);
  });

  test('never shows what it is launched with, whoever asks for whatever', async () => {
    await create();
    const answers = [
      await create(),
      await ask('GET', '/servers'),
      await ask('GET', '/servers/notes'),
      await ask('PATCH', '/servers/notes', { launchConfig }),
      await ask('PUT', '/servers/notes/launch-config', { launchConfig }),
      await ask('PUT', '/servers/notes/launch-config', { launchConfig: { ...launchConfig, command: '' } }),
      await ask('POST', '/servers/notes/start', {}),
      await ask('GET', '/servers/notes/logs'),
      await ask('GET', '/capabilities'),
      await ask('DELETE', '/servers/notes'),
    ];
    const { rows } = await database.db.$client.query('select * from server');
    const text = JSON.stringify([answers, rows, admin.seen.changes]);
    for (const secret of ['hunter2', 'x.js', 'launchConfig":{', 'sealedLaunchConfig'])
      expect(text).not.toContain(secret);
  });

  test('has an id of its own', async () => {
    await create();
    expect((await create()).json.code).toBe('SERVER_EXISTS');
    expect(admin.seen.published).toEqual(['server notes']);
  });

  test.each([
    [{ serverId: '../x' }, /serverId/],
    [{ serverId: '' }, /serverId/],
    [{ launchConfig: { type: 'telnet' } }, /launchConfig/],
    [{ launchConfig: { type: 'http', url: 'file:///etc/passwd' } }, /launchConfig\.url/],
    [{ launchConfig: { type: 'stdio' } }, /launchConfig\.command/],
    [{ anonymousRateLimit: 0 }, /anonymousRateLimit/],
    [{ category: 9 }, /category/],
    [{ configTemplate: '{' }, /configTemplate/],
    [{ launchConf: {} }, /launchConf: there is no such field/],
  ])('is refused with the name of the field that is wrong: %o', async (body, message) => {
    const { status, json } = await create(body);
    expect([status, json.code]).toEqual([400, 'INVALID_REQUEST']);
    expect(json.message).toMatch(message);
    expect(admin.seen.published).toEqual([]);
  });

  test('is changed, switched off and on, and removed; each is recorded and told', async () => {
    await create();
    expect(
      (await ask('PATCH', '/servers/notes', { serverName: 'Notes', publicAccess: true })).json.server,
    ).toMatchObject({
      serverName: 'Notes',
      publicAccess: true,
      enabled: true,
    });
    expect((await ask('POST', '/servers/notes/stop', {})).json.server).toMatchObject({ enabled: false, status: 1 });
    expect((await ask('GET', '/servers?enabled=true')).json.servers).toEqual([]);
    expect((await ask('POST', '/servers/notes/start', {})).json.server).toMatchObject({ enabled: true, status: 0 });
    expect(admin.seen.started).toEqual(['notes']);
    expect((await ask('DELETE', '/servers/notes')).status).toBe(200);
    expect((await ask('GET', '/servers/count')).json).toEqual({ count: 0 });
    expect(admin.seen.published).toEqual(Array(5).fill('server notes'));
    expect(admin.seen.changes.map(({ operation }) => operation)).toEqual([
      'servers.create',
      'servers.update',
      'servers.stop',
      'servers.start',
      'servers.remove',
    ]);
    expect(admin.seen.changes[1]?.details).toMatchObject({ before: { serverName: 'notes' } });
  });

  test('keeps what a part of its layer leaves out, and loses what a whole one does', async () => {
    await create();
    await ask('PUT', '/servers/notes/capabilities', {
      capabilities: { enabled: false, tools: { echo: { enabled: false } } },
    });
    const merged = await ask('PATCH', '/servers/notes', { capabilities: { tools: { echo: { dangerLevel: 2 } } } });
    expect(merged.json.server).toMatchObject({
      capabilities: { enabled: false, tools: { echo: { enabled: false, dangerLevel: 2 } } },
    });
    const replaced = await ask('PUT', '/servers/notes/capabilities', { capabilities: {} });
    expect(Object(replaced.json.server).capabilities).toEqual({ enabled: true });
  });

  test('keeps what a template says of it', async () => {
    await create({ category: 1, allowUserInput: true });
    expect((await ask('PATCH', '/servers/notes', { launchConfig })).json.message).toContain('user input');
    expect((await ask('PATCH', '/servers/notes', { configTemplate: '{}' })).json.message).toContain('categories');
    expect((await ask('PATCH', '/servers/notes', { allowUserInput: false })).json.message).toContain('allowUserInput');
  });

  test.each([
    ['GET', '/servers/nobody', undefined],
    ['PATCH', '/servers/nobody', { serverName: 'x' }],
    ['DELETE', '/servers/nobody', undefined],
    ['POST', '/servers/nobody/start', {}],
    ['POST', '/servers/nobody/stop', {}],
    ['PUT', '/servers/nobody/capabilities', { capabilities: {} }],
    ['PUT', '/servers/nobody/launch-config', { launchConfig: { type: 'stdio', command: 'x' } }],
    ['GET', '/servers/nobody/logs', undefined],
    ['GET', '/servers/nobody/capabilities', undefined],
  ] as const)('that is not there is not found: %s %s', async (method, path, body) => {
    const { status, json } = await ask(method, path, body);
    expect([status, json.code]).toEqual([404, 'SERVER_NOT_FOUND']);
    expect(admin.seen.published).toEqual([]);
  });

  test('shows its last lines with their times', async () => {
    await create();
    expect((await ask('GET', '/servers/notes/logs')).json).toEqual({
      lines: [{ at: '1970-01-01T00:00:00.000Z', source: 'stderr', text: 'hello' }],
    });
  });
});

test('connecting to all says which did not come up and why', async () => {
  await create();
  await create({ serverId: 'broken' });
  await create({ serverId: 'off', enabled: false });
  expect((await ask('POST', '/servers/connect', {})).json).toEqual({
    successServers: ['notes'],
    failedServers: [{ serverId: 'broken', reason: 'It does not start.' }],
  });
});

test('removing all removes all and tells of each', async () => {
  await create();
  await create({ serverId: 'files' });
  admin.seen.published.length = 0;
  expect((await ask('DELETE', '/servers')).json).toEqual({ deletedCount: 2 });
  expect(admin.seen.published.sort()).toEqual(['server files', 'server notes']);
});

describe('what can be called', () => {
  beforeEach(async () => {
    await create();
    await create({ serverId: 'files', enabled: false });
    await create({ serverId: 'new' });
  });

  test('is what servers that are on have listed, switched and rated by their layer', async () => {
    await ask('PUT', '/servers/notes/capabilities', { capabilities: { tools: { echo: { dangerLevel: 1 } } } });
    expect((await ask('GET', '/capabilities')).json).toEqual({
      capabilities: {
        notes: {
          enabled: true,
          tools: { echo: { enabled: true, description: 'Says it again', dangerLevel: 1 }, add: { enabled: false } },
          resources: { 'notes://all': { enabled: true }, 'notes://{id}': { enabled: true } },
          prompts: { sum: { enabled: true } },
        },
      },
    });
  });

  test('is known of one server even when it is off, and says that it is', async () => {
    expect((await ask('GET', '/servers/files/capabilities')).json.capabilities).toMatchObject({
      enabled: false,
      tools: { echo: { description: 'Says it again' } },
    });
    expect((await ask('GET', '/servers/new/capabilities')).json.capabilities).toEqual({
      enabled: true,
      tools: {},
      resources: {},
      prompts: {},
    });
  });

  test('by a person is what their permissions say, rated by the more careful layer', async () => {
    const permissions = { notes: { enabled: true, tools: { echo: { dangerLevel: 2 } } } };
    await ask('POST', '/users', { userId: 'ada', name: 'Ada', permissions });
    expect((await ask('GET', '/users/ada/capabilities')).json.capabilities).toMatchObject({
      notes: { enabled: true, tools: { echo: { dangerLevel: 2 } } },
      files: { enabled: false },
    });
  });

  test('comes with the status of every server; one that is off is offline', async () => {
    expect((await ask('GET', '/servers/status')).json).toEqual({ serversStatus: { files: 1, new: 0, notes: 0 } });
  });
});
