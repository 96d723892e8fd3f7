import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { createTestDatabase } from '../db/test-database.ts';
import { openEnvelope } from '../path/vault/envelope.ts';
import { createTestAdmin, type TestAdmin } from './io/test-admin.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let admin: TestAdmin;
let token: string;

const ask = (method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: object, as = token) =>
  admin.rest(method, path, { token: as, body });
const create = (workspaceId = 'acme') => ask('POST', '/workspaces', { workspaceId, name: 'Acme Inc.' });

/** Uses a set-up link; returns the token of the owner it makes. */
const begin = async (setupLink: unknown): Promise<string> => {
  const { json } = await ask('POST', '/setup', { secret: String(setupLink).split('#')[1] });
  return String(json.secret);
};

beforeAll(async () => {
  database = await createTestDatabase();
  admin = await createTestAdmin({ db: database.db, openEnvelope });
  token = (await admin.addPerson('owner', 1)).token;
});
afterAll(() => database.drop());
beforeEach(() => {
  for (const list of [admin.seen.changes, admin.seen.published]) list.length = 0;
});
afterEach(() => database.db.$client.query("delete from workspace where id <> 'default'"));

test('a workspace begins with a one-time link for an owner of its own', async () => {
  const { status, json } = await create();
  expect(status).toBe(200);
  expect(json).toMatchObject({ workspace: { workspaceId: 'acme', name: 'Acme Inc.', hasOwner: false } });
  const theirs = await begin(json.setupLink);
  expect((await ask('GET', '/me', undefined, theirs)).json.user).toMatchObject({ userId: 'owner', role: 1 });
  expect((await ask('GET', '/workspaces')).json.workspaces).toMatchObject([
    { workspaceId: 'acme', hasOwner: true },
    { workspaceId: 'default', hasOwner: true },
  ]);
  expect((await ask('GET', '/users', undefined, theirs)).json.users).toHaveLength(1);
  expect((await create()).json).toMatchObject({ code: 'WORKSPACE_EXISTS' });
});

test('the log of who runs the installation has the workspace and not its link; that of the workspace has its first owner', async () => {
  const { json } = await create();
  const theirs = await begin(json.setupLink);
  expect(admin.seen.changes).toMatchObject([
    { operation: 'workspaces.create', workspaceId: 'default', target: 'acme', outcome: 'done' },
    { operation: 'setup.complete', workspaceId: 'acme', outcome: 'done' },
  ]);
  const text = JSON.stringify(admin.seen.changes);
  for (const secret of [theirs, String(json.setupLink).split('#')[1] ?? '']) expect(text).not.toContain(secret);
});

test('a link that was lost is made anew, and gives the owner their access back', async () => {
  const { json } = await create();
  const first = await begin(json.setupLink);
  const { json: again } = await ask('POST', '/workspaces/acme/setup-links', {});
  const second = await begin(again.setupLink);
  expect(second).not.toBe(first);
  expect((await ask('GET', '/me', undefined, second)).json.user).toMatchObject({ userId: 'owner' });
  expect((await ask('POST', '/workspaces/nowhere/setup-links', {})).json).toMatchObject({
    code: 'WORKSPACE_NOT_FOUND',
  });
});

test('it is renamed, and removed with everything in it, which everybody is told', async () => {
  const { json } = await create();
  const theirs = await begin(json.setupLink);
  await ask('POST', '/servers', { serverId: 'files', launchConfig: { type: 'stdio', command: 'node' } }, theirs);
  await database.db.$client.query(
    `insert into audit_record (id, workspace_id, at, kind, operation) values (gen_random_uuid(), 'acme', now(), 'admin', 'x')`,
  );
  expect((await ask('PATCH', '/workspaces/acme', { name: 'Acme' })).json.workspace).toMatchObject({ name: 'Acme' });
  admin.seen.published.length = 0;
  expect((await ask('DELETE', '/workspaces/acme')).json.message).toContain('everything in it');
  expect(admin.seen.published).toEqual(['workspace acme']);
  expect((await ask('GET', '/me', undefined, theirs)).status).toBe(401);
  for (const table of ['"user"', 'token', 'server', 'setup_link', 'audit_record'])
    expect((await database.db.$client.query(`select 1 from ${table} where workspace_id = 'acme'`)).rowCount).toBe(0);
  expect((await ask('DELETE', '/workspaces/acme')).json).toMatchObject({ code: 'WORKSPACE_NOT_FOUND' });
});

test('the first workspace stays', async () => {
  const { status, json } = await ask('DELETE', '/workspaces/default');
  expect([status, json.message]).toEqual([400, expect.stringContaining('cannot be removed')]);
});

test('to the owner of another workspace there is nothing at these addresses, and no Peta to stop', async () => {
  const theirs = await begin((await create()).json.setupLink);
  const nothing = {
    status: 404,
    json: { error: 'Not Found', code: 'NOT_FOUND', message: 'There is nothing at this address.' },
  };
  for (const [method, path, body] of [
    ['GET', '/workspaces', undefined],
    ['POST', '/workspaces', { workspaceId: 'more' }],
    ['PATCH', '/workspaces/default', { name: 'mine' }],
    ['PATCH', '/workspaces/nowhere', { name: 'mine' }],
    ['POST', '/workspaces/default/setup-links', {}],
    ['DELETE', '/workspaces/default', undefined],
    ['DELETE', '/workspaces/acme', undefined],
    ['POST', '/proxy/stop', {}],
  ] as const)
    expect(await ask(method, path, body, theirs)).toMatchObject(nothing);
  expect(admin.seen.shutdowns).toBe(0);
  expect((await admin.action(5005, {}, theirs)).json).toMatchObject({ success: false });
  expect(admin.seen.shutdowns).toBe(0);
});

test('what the published interface says of "the owner" is of the workspace of whoever asks, and of the first for anybody', async () => {
  const theirs = await begin((await create()).json.setupLink);
  await ask('PATCH', '/users/owner', { name: 'Their Owner' }, theirs);
  const nameFor = async (as?: string) => ((await admin.action(1016, {}, as)).json.data as { owner: object }).owner;
  expect(await nameFor(theirs)).toMatchObject({ name: 'Their Owner' });
  expect(await nameFor()).toMatchObject({ name: 'owner' });
});
