import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestDatabase } from '../../db/test-database.ts';
import { makeEnvelope, openEnvelope } from '../../path/vault/envelope.ts';
import { createTestAdmin, type TestAdmin } from './test-admin.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let admin: TestAdmin;
let opened = 0;

beforeAll(async () => {
  database = await createTestDatabase();
  const counting = (text: string, token: string) => {
    opened += 1;
    return openEnvelope(text, token);
  };
  admin = await createTestAdmin({ db: database.db, openEnvelope: counting });
});
afterAll(() => database.drop());
beforeEach(() => {
  opened = 0;
  for (const list of [admin.seen.changes, admin.seen.published, admin.seen.door]) list.length = 0;
});
afterEach(() => database.db.$client.query('delete from "user"; delete from token; delete from server'));

const hashOf = (token: string) => createHash('sha256').update(token).digest('hex');
const idOf = (token: string) => hashOf(token).slice(0, 32);
const act = async (action: number, data: object, token?: string) => (await admin.action(action, data, token)).json;
const hashes = async () => (await database.db.$client.query('select hash from token order by hash')).rows;

describe('the first owner', () => {
  const data = async (secret: string) => ({
    userId: idOf('owners-token'),
    encryptedToken: await makeEnvelope('owners-token', secret),
    role: 1,
    name: 'First',
  });

  test('is made with the secret of the set-up link, once', async () => {
    const secret = await admin.setupSecret();
    const first = await act(1010, await data(secret), secret);
    expect(first).toMatchObject({ success: true, data: { user: { userId: idOf('owners-token'), role: 1 } } });
    expect((await admin.rest('GET', '/me', { token: 'owners-token' })).status).toBe(200);
    expect(admin.seen.changes).toMatchObject([{ operation: 'setup.complete', outcome: 'done' }]);
    expect(await act(1010, await data(secret), secret)).toMatchObject({ error: { code: 1002 } });
  });

  test('is not made without it, and no envelope is opened for whoever tries', async () => {
    await admin.setupSecret();
    for (const bearer of [undefined, 'petasetup_wrong', 'x'])
      expect(await act(1010, await data('x'), bearer)).toMatchObject({ success: false, error: { code: 1003 } });
    expect(opened).toBe(0);
    expect(await act(1016, {})).toEqual({ success: true, data: { owner: null } });
  });

  test('must be an owner, and a try that fails leaves the link', async () => {
    const secret = await admin.setupSecret();
    const good = await data(secret);
    for (const bad of [
      { ...good, role: 3 },
      { ...good, userId: idOf('another') },
      { ...good, encryptedToken: '' },
    ])
      expect(await act(1010, bad, secret)).toMatchObject({ error: { code: 1001 } });
    expect(await act(1010, good, secret)).toMatchObject({ success: true });
  });
});

describe('people', () => {
  let owner: string;
  let administrator: string;
  beforeEach(async () => {
    owner = (await admin.addPerson('owner', 1)).token;
    administrator = (await admin.addPerson('administrator', 2)).token;
  });

  const person = async (token: string, key: string, more: object = {}) => ({
    userId: idOf(token),
    encryptedToken: await makeEnvelope(token, key),
    ...more,
  });

  test('come with their token: its whole hash where the envelope opens, half of it where not', async () => {
    await act(1010, await person('one', owner), owner);
    await act(1010, await person('two', 'another key'), owner);
    expect(await hashes()).toEqual(expect.arrayContaining([{ hash: hashOf('one') }, { hash: idOf('two') }]));
  });

  test('are described in the published shapes', async () => {
    const data = await person('one', owner, {
      name: '',
      role: 0,
      permissions: '{"notes":{"enabled":true}}',
      expiresAt: 1_900_000_000,
      createdAt: 1,
      updatedAt: 1,
      proxyId: 7,
    });
    const { data: made } = await act(1010, data, owner);
    expect(made).toEqual({
      user: {
        userId: idOf('one'),
        name: idOf('one'),
        notes: '',
        role: 3,
        status: 1,
        permissions: { notes: { enabled: true } },
        ratelimit: 100,
        proxyId: 0,
        expiresAt: 1_900_000_000,
        createdAt: expect.any(Number),
        updatedAt: expect.any(Number),
        encryptedToken: data.encryptedToken,
      },
    });
    const found = await act(1011, { userId: idOf('one'), proxyId: 0 }, owner);
    expect(found.data).toEqual({ users: [Object(made).user] });
    expect(await act(1012, { userId: idOf('one'), expiresAt: 0 }, owner)).toMatchObject({
      data: { user: { expiresAt: 0 } },
    });
  });

  test('keep another wrapping of their token when it is given, and the token goes on working', async () => {
    await act(1010, await person('one', owner), owner);
    const before = await hashes();
    const encryptedToken = await makeEnvelope('one', 'the new key');
    const changed = await act(1012, { userId: idOf('one'), encryptedToken }, administrator);
    expect(changed).toMatchObject({ data: { user: { encryptedToken } } });
    expect(await hashes()).toEqual(before);
    expect(await act(1012, { userId: idOf('one'), encryptedToken: 7 }, owner)).toMatchObject({ error: { code: 1001 } });
  });

  test('are not made by administrators, nor owners by anybody; and for them no envelope is opened', async () => {
    const data = await person('one', administrator);
    expect(await act(1010, data, administrator)).toMatchObject({ error: { code: 1003 } });
    expect(await act(1010, { ...data, role: 1 }, owner)).toMatchObject({ error: { code: 1003 } });
    expect(opened).toBe(0);
  });

  test('have the published codes for what goes wrong', async () => {
    await act(1010, await person('one', owner), owner);
    const codes = async (...asked: [number, object][]) => {
      const found: unknown[] = [];
      for (const [number, data] of asked) found.push(Object((await act(number, data, owner)).error).code);
      return found;
    };
    expect(
      await codes(
        [1010, await person('one', owner)],
        [1001, { targetId: idOf('one') }],
        [1001, { targetId: idOf('one') }],
        [1001, { targetId: 'nobody' }],
        [1002, { targetId: idOf('one'), permissions: '{' }],
        [1002, { targetId: idOf('one'), permissions: { notes: { enabled: 'yes' } } }],
        [1012, { userId: 'nobody', name: 'x' }],
        [1013, {}],
        [2001, { targetId: 'nobody' }],
        [2003, { targetId: 'nobody', capabilities: 7 }],
        [5003, { proxyId: 99, name: 'x' }],
      ),
    ).toEqual([2003, undefined, 2002, 2001, 4002, 4002, 2001, 1001, 3001, 4002, 5001]);
  });

  test('the owner’s public face is little', async () => {
    const { data } = await act(1016, {});
    expect(data).toEqual({ owner: { userId: 'owner', name: 'owner', role: 1, status: 1, encryptedToken: null } });
  });

  test('data may be left out', async () => {
    const { json } = await admin.send('POST', '/admin', { token: owner, body: { action: 1015, data: null } });
    expect(json).toEqual({ success: true, data: { count: 2 } });
  });
});

describe('servers', () => {
  let owner: string;
  let administrator: string;
  beforeEach(async () => {
    owner = (await admin.addPerson('owner', 1)).token;
    administrator = (await admin.addPerson('administrator', 2)).token;
  });
  const create = async (launch: unknown, more: object = {}) => ({
    serverId: 'notes',
    launchConfig: await makeEnvelope(JSON.stringify(launch), owner),
    configTemplate: '{"command":"node"}',
    category: 5,
    authType: 1,
    ...more,
  });
  const config = { command: 'node', env: { KEY: 'hunter2' } };

  test('come in an envelope and are described in the published shape, which holds no secret', async () => {
    const made = await act(2010, await create(config, { capabilities: '{"enabled":false}', proxyId: 1 }), owner);
    expect(made.data).toMatchObject({
      server: { serverId: 'notes', launchConfig: '{}', configured: true, proxyId: 0, createdAt: expect.any(Number) },
    });
    expect(Object(made.data).server.capabilities).toEqual({ enabled: true });
    expect([...admin.seen.sealed.values()].at(-1)).toMatchObject({ type: 'stdio', ...config });
    const all = await act(2011, {}, administrator);
    expect(all.data).toEqual({ servers: [Object(made.data).server] });
    expect(await act(2011, { enabled: false }, administrator)).toMatchObject({ data: { servers: [] } });
    expect(await act(2011, { serverId: 'other' }, administrator)).toMatchObject({ data: { servers: [] } });
    expect(JSON.stringify([made, all, admin.seen.changes])).not.toContain('hunter2');
  });

  test('are refused with a sentence when the envelope, or what is in it, is wrong', async () => {
    const good = await create(config);
    for (const [bad, message] of [
      [{ ...good, launchConfig: await makeEnvelope('{}', 'another token') }, /envelope/],
      [{ ...good, launchConfig: '' }, /launchConfig: is missing/],
      [{ ...good, configTemplate: '' }, /configTemplate: is missing/],
      [{ ...good, configTemplate: 'no JSON' }, /configTemplate: must be JSON/],
      [await create({ type: 'telnet' }), /launchConfig/],
      [await create('hunter2'), /launchConfig/],
    ] as const) {
      const { error } = await act(2010, bad, owner);
      expect(error).toMatchObject({ code: 1001, message: expect.stringMatching(message) });
      expect(JSON.stringify(error)).not.toContain('hunter2');
    }
    expect(admin.seen.published).toEqual([]);
  });

  test('of whoever may not change them, nothing is opened', async () => {
    for (const token of [administrator, undefined, 'peta_wrong'])
      for (const number of [2004, 2010, 2012])
        await act(number, { targetId: 'notes', ...(await create(config)) }, token);
    expect(opened).toBe(0);
    expect(admin.seen.door).toEqual(Array(6).fill('/admin'));
  });

  test('are changed by part, and have no OAuth connection to renew', async () => {
    await act(2010, await create(config), owner);
    await act(2003, { targetId: 'notes', capabilities: { enabled: false } }, administrator);
    const changed = await act(2012, { serverId: 'notes', capabilities: '{"tools":{"echo":{"enabled":false}}}' }, owner);
    expect(changed.data).toMatchObject({
      server: { capabilities: { enabled: false, tools: { echo: { enabled: false } } } },
    });
    for (const number of [2016, 2017])
      expect(await act(number, { serverId: 'notes' }, owner)).toMatchObject({
        error: { code: 1001, message: 'The server "notes" has no OAuth connection to renew.' },
      });
  });
});
