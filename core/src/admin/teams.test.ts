import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase } from '../db/test-database.ts';
import { openEnvelope } from '../path/vault/envelope.ts';
import { createTestAdmin, type TestAdmin } from './io/test-admin.ts';

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let admin: TestAdmin;
let administrator: string;
let ada: string;

beforeAll(async () => {
  database = await createTestDatabase();
  admin = await createTestAdmin({ db: database.db, openEnvelope });
  administrator = (await admin.addPerson('administrator', 2)).token;
  ada = (await admin.addPerson('ada', 3)).token;
  await admin.addPerson('grace', 3);
});
afterAll(() => database.drop());

const ask = (method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: object, token = administrator) =>
  admin.rest(method, path, { token, ...(body && { body }) });

test('a team is made, described, filled, shown to its members, and removed', async () => {
  const made = await ask('POST', '/teams', { teamId: 'crew', description: 'Those on duty' });
  expect(made.json.team).toMatchObject({ teamId: 'crew', name: 'crew', description: 'Those on duty', members: [] });
  expect((await ask('POST', '/teams', { teamId: 'crew' })).json.code).toBe('TEAM_EXISTS');
  expect((await ask('PATCH', '/teams/crew', { name: 'The crew' })).json.team).toMatchObject({ name: 'The crew' });
  await ask('PUT', '/teams/crew/members/grace', {});
  await ask('PUT', '/teams/crew/members/ada', {});
  expect((await ask('PUT', '/teams/crew/members/ada', {})).json.team).toMatchObject({ members: ['ada', 'grace'] });
  expect((await ask('GET', '/me', undefined, ada)).json.teams).toEqual([{ teamId: 'crew', name: 'The crew' }]);
  expect((await ask('DELETE', '/teams/crew/members/ada')).json.team).toMatchObject({ members: ['grace'] });
  expect((await ask('DELETE', '/teams/crew/members/ada')).json.code).toBe('USER_NOT_FOUND');
  expect((await ask('GET', '/teams')).json.teams).toMatchObject([{ teamId: 'crew', members: ['grace'] }]);
  await ask('DELETE', '/users/grace');
  expect((await ask('GET', '/teams/crew')).json.team).toMatchObject({ members: [] });
  expect((await ask('DELETE', '/teams/crew')).status).toBe(200);
  expect((await ask('GET', '/teams/crew')).json.code).toBe('TEAM_NOT_FOUND');
});

test('a team that goes takes its agents and their tokens along, and everybody is told', async () => {
  await ask('POST', '/teams', { teamId: 'robots' });
  await ask('POST', '/agents', { userId: 'robot', ownerTeamId: 'robots' });
  const { secret } = (await ask('POST', '/tokens', { userId: 'robot' })).json as { secret: string };
  expect((await ask('GET', '/me', undefined, secret)).status).toBe(200);
  expect((await ask('PUT', '/teams/robots/members/robot', {})).json.message).toContain('an agent belongs to');
  admin.seen.published.length = 0;
  await ask('DELETE', '/teams/robots');
  expect((await ask('GET', '/me', undefined, secret)).status).toBe(401);
  expect(admin.seen.published).toEqual(['user robot']);
  const { rows } = await database.db.$client.query(`select * from token where user_id = 'robot'`);
  expect(rows).toEqual([]);
});
