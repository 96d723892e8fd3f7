import { createHash } from 'node:crypto';
import { type Client, createClient } from '@peta/api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeEnvelope } from '../harness/envelope.ts';
import { becomeOwner, cleanUp, type RunningPeta, startPeta } from '../harness/peta.ts';

let peta: RunningPeta;
let api: Client;
let token: string;
let userToken: string;
let administratorToken: string;

beforeAll(async () => {
  peta = await startPeta({ args: ['--demo'] });
  ({ api, token } = await becomeOwner(peta));
  await api.users.create({ userId: 'user', name: 'User' });
  await api.users.create({ userId: 'administrator', name: 'Administrator', role: 2 });
  userToken = (await api.tokens.issue({ userId: 'user' })).secret;
  administratorToken = (await api.tokens.issue({ userId: 'administrator' })).secret;
});
afterAll(cleanUp);

const bearer = (one: string) => ({ authorization: `Bearer ${one}` });
type Answer = { success: boolean; data?: Record<string, unknown>; error?: { code: number; message: string } };
const action = async (
  number: number,
  data: object,
  by: string | undefined = token,
): Promise<Answer & { status: number }> => {
  const response = await fetch(`${peta.url}/admin`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(by && bearer(by)) },
    body: JSON.stringify({ action: number, data }),
  });
  return { status: response.status, ...((await response.json()) as Answer) };
};

describe('the published actions', () => {
  const userId = createHash('sha256').update('a-token-of-old').digest('hex').slice(0, 32);

  test('a user comes with a token in an envelope, works, changes and goes', async () => {
    const encryptedToken = await makeEnvelope('a-token-of-old', token);
    const created = await action(1010, {
      userId,
      encryptedToken,
      name: 'Old',
      role: 0,
      permissions: '{"everything":{"enabled":true}}',
    });
    expect(created.data?.user).toMatchObject({ userId, role: 3, status: 1, encryptedToken, proxyId: 0, expiresAt: 0 });
    expect((await createClient(peta.url, { token: 'a-token-of-old' }).me.get({})).user.userId).toBe(userId);
    expect((await action(1010, { userId, encryptedToken, name: 'Old' })).error?.code).toBe(2003);
    expect((await action(1011, { userId })).data?.users).toHaveLength(1);
    expect((await action(1012, { userId, name: 'Older' })).data?.user).toMatchObject({ name: 'Older' });
    expect(await action(1002, { targetId: userId, permissions: { notes: { enabled: true } } })).toMatchObject({
      success: true,
      data: null,
    });
    expect((await action(3003, { targetId: userId })).data).toMatchObject({
      capabilities: { notes: { enabled: true }, everything: { enabled: false } },
    });
    expect(await action(1001, { targetId: userId })).toMatchObject({ success: true, data: null });
    expect((await action(1015, {})).data).toEqual({ count: expect.any(Number) });
    expect((await action(1013, { userId })).success).toBe(true);
    expect((await action(1013, { userId })).error?.code).toBe(2001);
  });

  test('a token whose envelope cannot be opened is known by its id', async () => {
    const id = createHash('sha256').update('another-token').digest('hex').slice(0, 32);
    const encryptedToken = await makeEnvelope('another-token', 'somebody else’s key');
    expect((await action(1010, { userId: id, encryptedToken, name: 'Half' })).success).toBe(true);
    expect((await createClient(peta.url, { token: 'another-token' }).me.get({})).user.userId).toBe(id);
  });

  test('a server comes with an envelope and never shows what was in it', async () => {
    const launchConfig = await makeEnvelope(
      JSON.stringify({ command: process.execPath, args: ['-e', '0'], env: { KEY: 'hunter2' } }),
      token,
    );
    const create = {
      serverId: 'old',
      launchConfig,
      configTemplate: '{"command":"node"}',
      category: 5,
      authType: 1,
      lazyStartEnabled: true,
    };
    const created = await action(2010, create);
    expect(created.data?.server).toMatchObject({
      serverId: 'old',
      launchConfig: '{}',
      configured: true,
      createdAt: expect.any(Number),
    });
    expect((await action(2010, create)).error?.code).toBe(3003);
    expect((await action(2010, { ...create, serverId: 'other', launchConfig: '{}' })).error).toMatchObject({
      code: 1001,
      message: expect.stringContaining('envelope'),
    });
    expect((await action(2012, { serverId: 'old', serverName: 'Older' })).data?.server).toMatchObject({
      serverName: 'Older',
    });
    expect((await action(2003, { targetId: 'old', capabilities: '{"enabled":true}' })).success).toBe(true);
    expect((await action(2004, { targetId: 'old', launchConfig })).success).toBe(true);
    expect((await action(2002, { targetId: 'old' })).success).toBe(true);
    expect((await action(3004, {})).data).toMatchObject({ serversStatus: { old: 1, everything: 0 } });
    expect((await action(3005, { targetId: 'everything' })).data).toMatchObject({
      capabilities: { tools: { echo: { enabled: true } } },
    });
    expect((await action(3002, {})).data).toMatchObject({ capabilities: { notes: { enabled: true } } });
    const all = JSON.stringify([
      created,
      await action(2011, {}),
      await action(2015, {}),
      await api.audit.list({ limit: 1000 }),
    ]);
    expect(all).not.toContain('hunter2');
    for (const number of [2016, 2017])
      expect((await action(number, { serverId: 'old' })).error?.message).toContain('no OAuth connection');
    expect((await action(2013, { serverId: 'old' })).success).toBe(true);
    expect((await action(2013, { serverId: 'old' })).error?.code).toBe(3001);
    expect((await action(2001, { targetId: 'everything' })).success).toBe(true);
    expect((await action(2005, {})).data).toMatchObject({
      successServers: expect.arrayContaining(['everything', 'notes']),
    });
  });

  test('the gateway has one name, and its key is for administrators', async () => {
    expect((await action(5001, {}, '')).data).toEqual({ proxy: null });
    const created = await action(5002, { name: 'Main', proxyKey: 'key' });
    const id = Number(Object(created.data?.proxy).id);
    expect((await action(5002, { name: 'Again', proxyKey: 'key' })).error?.code).toBe(5002);
    expect((await action(5003, { proxyId: id, name: 'Renamed' })).success).toBe(true);
    expect((await action(5001, {}, '')).data).toMatchObject({ proxy: { name: 'Renamed', proxyKey: null } });
    expect((await action(5001, {})).data).toMatchObject({ proxy: { proxyKey: 'key' } });
  });

  test('guards hold, and what makes no sense is refused with a number', async () => {
    expect(await action(1011, {}, '')).toMatchObject({ status: 401, error: { code: 1002 } });
    expect(await action(1011, {}, userToken)).toMatchObject({ status: 403, error: { code: 1003 } });
    expect(await action(2010, {}, administratorToken)).toMatchObject({ success: false });
    expect(await action(424_242, {})).toMatchObject({ status: 400, error: { code: 1001 } });
    expect((await action(1016, {}, '')).data).toMatchObject({ owner: { userId: 'owner', role: 1 } });
    const response = await fetch(`${peta.url}/admin`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"action":"x"}',
    });
    expect(response.status).toBe(400);
  });
});

describe('set-up', () => {
  test('a link works once, and a new one is a way back in for the owner', async () => {
    const { setupLink } = await api.setup.link({});
    const secret = setupLink.split('#')[1] ?? '';
    const back = await createClient(peta.url).setup.complete({ secret });
    expect(back.user).toMatchObject({ userId: 'owner', role: 1, name: 'Olivia Owner' });
    expect((await createClient(peta.url, { token: back.secret }).me.get({})).user.userId).toBe('owner');
    await expect(createClient(peta.url).setup.complete({ secret })).rejects.toMatchObject({
      status: 403,
      code: 'SETUP_LINK_INVALID',
    });
    await expect(createClient(peta.url).setup.complete({ secret: 'petasetup_made-up' })).rejects.toMatchObject({
      status: 403,
    });
  });

  test('the first owner may also come by the published action, with the secret of the link', async () => {
    const fresh = await startPeta();
    const secret = fresh.setupLink?.split('#')[1] ?? '';
    const id = createHash('sha256').update('the-owners-token').digest('hex').slice(0, 32);
    const body = {
      action: 1010,
      data: { userId: id, encryptedToken: await makeEnvelope('the-owners-token', secret), role: 1, name: 'First' },
    };
    const send = (by: string) =>
      fetch(`${fresh.url}/admin`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...bearer(by) },
        body: JSON.stringify(body),
      });
    expect((await send('petasetup_wrong')).status).toBe(403);
    expect((await send(secret)).status).toBe(200);
    expect((await createClient(fresh.url, { token: 'the-owners-token' }).me.get({})).user).toMatchObject({
      userId: id,
      role: 1,
    });
  });
});
