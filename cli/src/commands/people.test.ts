import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { cleanUp, peta, type RunningPeta, startPeta } from '../../../e2e/harness/peta.ts';

// Each step is a process of its own.
vi.setConfig({ testTimeout: 90_000 });

let running: RunningPeta;
beforeAll(async () => {
  running = await startPeta({ args: ['--demo'] });
});
afterAll(cleanUp);

const run = (...args: string[]) => peta(running.home, args);
const json = async (...args: string[]): Promise<unknown> => JSON.parse((await run(...args, '--json')).stdout);

test('a token may be confined to tools, and to operations', async () => {
  const issue = async (...args: string[]) => (await run('tokens', 'issue', 'demo', ...args)).stdout.trim();
  const as = (token: string, ...args: string[]) => peta(running.home, args, { env: { PETA_TOKEN: token } });
  const tool = await issue('--tool', 'notes::list_notes', '--tool', 'everything::echo');
  expect((await as(tool, 'call', 'notes', 'list_notes')).code).toBe(0);
  expect((await as(tool, 'call', 'everything', 'echo', '{"message":"hi"}')).stdout).toBe('Echo: hi\n');
  expect((await as(tool, 'call', 'notes', 'add_note', '{"topic":"x","text":"y"}')).code).toBe(1);
  const operation = await issue('--operation', 'agents.list,tokens.list');
  expect((await as(operation, 'agents', 'list')).code).toBe(0);
  expect((await as(operation, 'sessions', 'list')).stderr).toContain('sessions.list is not one of them');
  expect((await as(operation, 'call', 'notes')).code).toBe(1);
  const mistyped = await run('tokens', 'issue', 'demo', '--operation', 'agents.lists');
  expect(mistyped).toMatchObject({ code: 1, stdout: '' });
});

test('a team, its agent and a role are made, used and removed', async () => {
  expect((await run('users', 'add', 'grace', '--role', 'auditor', '--email', 'Grace@example.com')).code).toBe(0);
  expect((await run('users', 'list')).stdout).toMatch(/^grace +grace +auditor +enabled/m);
  expect((await run('roles', 'operations')).stdout).toMatch(/^servers\.stop +administrator +yes/m);
  expect((await run('roles', 'add', 'operator', 'servers.list', 'servers.stop')).stdout).toContain(
    'operator was made.',
  );
  expect((await run('users', 'role', 'grace', 'operator')).stdout).toBe('grace has the role operator.\n');
  expect((await run('roles', 'list')).stdout).toMatch(/^operator +operator +servers\.list, servers\.stop$/m);
  expect((await run('roles', 'remove', 'operator')).code).toBe(0);
  expect(await json('users', 'role', 'grace', 'user')).toMatchObject({ roleId: null, email: 'grace@example.com' });

  expect((await run('teams', 'add', 'crew')).code).toBe(0);
  expect((await run('teams', 'add-member', 'crew', 'grace')).stdout).toBe('grace is in crew.\n');
  expect((await run('agents', 'add', 'robot', '--team', 'crew')).stdout).toContain('robot was made.');
  expect((await run('agents', 'allow', 'robot', 'notes', 'list_notes')).stdout).toBe(
    'robot may use list_notes of notes.\n',
  );
  expect((await run('agents', 'list')).stdout).toMatch(/^robot +robot +team crew +enabled +notes$/m);
  const robot = (await run('tokens', 'issue', 'robot')).stdout.trim();
  const asRobot = (...args: string[]) => peta(running.home, args, { env: { PETA_TOKEN: robot } });
  expect((await asRobot('call', 'notes', 'list_notes')).code).toBe(0);
  expect((await run('agents', 'disable', 'robot')).code).toBe(0);
  expect((await asRobot('call', 'notes', 'list_notes')).code).toBe(1);
  expect((await run('teams', 'remove-member', 'crew', 'grace')).code).toBe(0);
  expect((await run('teams', 'list')).stdout).toMatch(/^crew +crew$/m);
  expect((await run('teams', 'remove', 'crew')).stdout).toBe('The team crew was removed with robot.\n');
  expect((await run('agents', 'list')).stdout).toContain('No agents yet.');
  await run('users', 'remove', 'grace');
});

test('sessions are listed and ended', async () => {
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'listed', version: '7' } };
  const { token } = JSON.parse(await readFile(join(running.home, 'admin.json'), 'utf8')) as { token: string };
  await fetch(running.mcpUrl, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params }),
  });
  const row = /^machine +listed 7 +\/mcp +2025-11-25 .* ([0-9a-f]{64})$/m.exec((await run('sessions', 'list')).stdout);
  expect((await run('sessions', 'end', row?.[1] ?? '')).stdout).toBe('The session was ended.\n');
  expect((await run('sessions', 'list')).stdout).not.toContain('listed 7');
});
