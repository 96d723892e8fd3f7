import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { cleanUp, newHome, peta, ROOT, type RunningPeta, startPeta, until } from '../../../e2e/harness/peta.ts';

// Each step is a process of its own.
vi.setConfig({ testTimeout: 90_000 });

let running: RunningPeta;
beforeAll(async () => {
  // A small page, so that lists have several.
  running = await startPeta({ args: ['--demo'], env: { PETA_PAGE_SIZE: '3' } });
});
afterAll(cleanUp);

const run = (...args: string[]) => peta(running.home, args);
const json = async (...args: string[]): Promise<unknown> => JSON.parse((await run(...args, '--json')).stdout);

const reference = (name: string): string =>
  join(ROOT, `node_modules/@modelcontextprotocol/server-${name}/dist/index.js`);

test('a server is added, called, stopped, started and removed', async () => {
  const added = await run('servers', 'add', 'old', '--public', '--', process.execPath, reference('filesystem'), ROOT);
  expect(added).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^old is online: \d\d tools, 0 resources, 0 prompts\.\n$/),
  });
  expect((await run('call', 'old')).stdout).toMatch(/^TOOL +DESCRIPTION\n/);
  expect((await run('call', 'old', 'list_allowed_directories')).stdout).toContain(ROOT);
  expect(await run('servers', 'stop', 'old')).toMatchObject({ code: 0, stdout: 'old is stopped.\n' });
  expect(await run('call', 'old', 'list_allowed_directories')).toMatchObject({ code: 1, stdout: '' });
  expect((await run('servers', 'start', 'old')).stdout).toContain('old is online');
  expect((await run('servers', 'list')).stdout).toMatch(/^old +online +stdio +all +yes/m);
  expect((await run('servers', 'remove', 'old')).code).toBe(0);
  expect((await run('servers', 'list')).stdout).not.toContain('old ');
});

test('a server that does not start is told with its reason and its last lines, and exit code 1', async () => {
  const script = 'console.error("the licence key is missing"); process.exit(3)';
  const { code, stdout, stderr } = await run('servers', 'add', 'broken', '--', process.execPath, '-e', script);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain('the licence key is missing');
  expect(stderr).toContain('broken is registered but not online. The server ended with code 3.');
  expect((await run('servers', 'logs', 'broken')).stdout).toContain('the licence key is missing');
  const doctor = await run('doctor');
  expect(doctor.stdout).toContain('✗ The server broken does not work: The server ended with code 3.');
  expect(doctor.code).toBe(1);
  await run('servers', 'remove', 'broken');
});

test('a secret reaches a server by the name of a variable, and no other output', async () => {
  const args = ['servers', 'add', 'env', '--env', 'DEMO_KEY', '--json', '--'];
  const added = await peta(running.home, [...args, process.execPath, reference('everything')], {
    env: { DEMO_KEY: 'top-secret' },
  });
  expect(added.code).toBe(0);
  expect(added.stdout + added.stderr).not.toContain('top-secret');
  expect((await run('call', 'env', 'get-env')).stdout).toContain('"DEMO_KEY": "top-secret"');
  expect((await run('servers', 'list', '--json')).stdout).not.toContain('top-secret');
  await run('servers', 'remove', 'env');
});

test('a workspace is made with a link for its owner, listed, renamed and removed', async () => {
  const made = await run('workspaces', 'add', 'acme', '--name', 'Acme Inc.');
  expect(made.stdout).toMatch(/^The workspace acme is there\..*\nhttp\S+\/setup#petasetup_\S+\n$/);
  expect((await run('workspaces', 'list')).stdout).toMatch(/^acme +Acme Inc\. +not yet /m);
  expect((await run('workspaces', 'setup-link', 'acme')).stdout).toMatch(/^http\S+\/setup#petasetup_\S+\n$/);
  expect((await run('workspaces', 'rename', 'acme', 'Acme')).stdout).toBe('acme is called Acme now.\n');
  expect((await run('workspaces', 'remove', 'acme')).stdout).toContain('was removed with everything in it');
  expect(await run('workspaces', 'remove', 'default')).toMatchObject({ code: 1 });
});

test('an environment is made, has servers, and goes once they have left', async () => {
  expect((await run('environments', 'list')).stdout).toContain('No environments yet.');
  expect((await run('environments', 'add', 'staging', '--name', 'Staging')).stdout).toContain('--environment staging');
  const server = ['--', process.execPath, reference('everything')];
  expect((await run('servers', 'add', 'trial', '--environment', 'staging', ...server)).code).toBe(0);
  expect((await run('environments', 'list')).stdout).toMatch(/^staging +Staging +trial/m);
  expect((await run('environments', 'remove', 'staging')).stderr).toContain('These servers belong to staging: trial.');
  await run('servers', 'remove', 'trial');
  expect((await run('environments', 'rename', 'staging', 'Test')).stdout).toBe('staging is called Test now.\n');
  expect((await run('environments', 'remove', 'staging')).stdout).toBe('The environment staging was removed.\n');
});

test('a person is added, allowed, given a token, confined, disabled and removed', async () => {
  expect((await run('users', 'add', 'ada', '--name', 'Ada')).stdout).toContain('ada was added.');
  await run('users', 'allow', 'ada', 'everything');
  const { stdout: token } = await run('tokens', 'issue', 'ada', '--expires', '1h');
  const asAda = (...args: string[]) => peta(running.home, args, { env: { PETA_TOKEN: token.trim() } });
  expect((await asAda('call', 'everything', 'echo', '{"message":"hi"}')).stdout).toBe('Echo: hi\n');
  expect((await asAda('call', 'notes')).stderr).toContain('No tool of a server "notes" is visible.');
  expect((await asAda('servers', 'list')).code).toBe(1);

  await run('users', 'deny', 'ada', 'everything', 'echo');
  await until('the refusal', async () => (await asAda('call', 'everything', 'echo', '{"message":"hi"}')).code === 1);
  expect((await asAda('call', 'everything', 'get-sum', '{"a":1,"b":2}')).stdout).toContain('3');

  await run('users', 'disable', 'ada');
  expect((await asAda('call', 'everything')).stderr).toContain('PETA_TOKEN');
  await run('users', 'enable', 'ada');
  const [issued] = (await json('tokens', 'list', 'ada')) as { tokenId: string; expiresAt: string }[];
  expect(Date.parse(issued?.expiresAt ?? '') - Date.now()).toBeLessThanOrEqual(3_600_000);
  const rotated = await run('tokens', 'rotate', issued?.tokenId ?? '', '--overlap', '60');
  expect(rotated.stdout).toMatch(/^peta_[\w-]{43}\n$/);
  expect(await json('tokens', 'revoke', issued?.tokenId ?? '')).toHaveProperty('message');
  expect((await asAda('call', 'everything')).code).toBe(1);
  expect(await json('users', 'remove', 'ada')).toHaveProperty('message');
  expect((await run('users', 'list')).stdout).not.toContain('ada');
});

test('a token may be confined to servers', async () => {
  const { stdout: token } = await run('tokens', 'issue', 'demo', '--server', 'notes');
  const confined = (...args: string[]) => peta(running.home, args, { env: { PETA_TOKEN: token.trim() } });
  expect((await confined('call', 'notes', 'list_notes')).code).toBe(0);
  expect((await confined('call', 'everything', 'echo', '{"message":"hi"}')).code).toBe(1);
});

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

test('an endpoint is added by servers and tools or by a file, listed and removed', async () => {
  const added = await run(
    'endpoints',
    'add',
    'mine',
    'notes:list_notes',
    'everything',
    '--style',
    'none',
    '--anonymous',
  );
  expect(added).toMatchObject({ code: 0, stdout: 'mine is at /mcp/e/mine, for anybody.\n' });
  expect((await run('endpoints', 'list')).stdout).toMatch(
    /^mine +\/mcp\/e\/mine +yes +anybody +none +notes,everything$/m,
  );
  const again = await run('endpoints', 'add', 'mine', 'notes');
  expect(again).toMatchObject({ code: 1, stderr: 'peta: There is already an endpoint "mine".\n' });

  const file = join(running.home, 'selection.json');
  const selection = [{ serverId: 'notes', changes: { list_notes: { name: 'notes' } } }];
  await writeFile(file, JSON.stringify(selection));
  expect(await json('endpoints', 'add', 'other', '--selection', file)).toMatchObject({ name: 'other', selection });
  expect(await json('endpoints', 'list')).toHaveLength(2);
  await writeFile(file, '{}');
  expect((await run('endpoints', 'add', 'third', '--selection', file)).stderr).toContain('holds no selection');

  const { stdout: token } = await run('tokens', 'issue', 'demo', '--endpoint', '/mcp/e/other');
  const confined = { PETA_TOKEN: token.trim() };
  expect((await peta(running.home, ['call', 'notes'], { env: confined })).code).toBe(1);
  expect((await run('endpoints', 'remove', 'mine')).stdout).toBe('The endpoint mine was removed.\n');
  expect(await json('endpoints', 'remove', 'other')).toHaveProperty('message');
  expect((await run('endpoints', 'list')).stdout).toContain('No endpoints yet.');
});

test('all tools of a server are listed, also over several pages', async () => {
  const tools = (await json('call', 'everything')) as { name: string }[];
  expect(tools.length).toBeGreaterThan(6);
});

test('a tool that reports an error is printed, with exit code 1; with --json the result is', async () => {
  const { code, stdout } = await run('call', 'everything', 'echo', '{}');
  expect(code).toBe(1);
  expect(stdout).toContain('Invalid arguments');
  const result = await json('call', 'notes', 'add_note', '{"topic":"cli","text":"kept"}');
  expect(result).toMatchObject({ content: [{ type: 'text' }] });
});

test('what was done is in the audit log', async () => {
  await run('call', 'notes', 'list_notes');
  await until('the record', async () => {
    const { records } = (await json('audit', '--server', 'notes', '--kind', 'call', '--limit', '5')) as {
      records: { name: string; outcome: string; userId: string }[];
    };
    return records.some(
      ({ name, outcome, userId }) => name === 'list_notes' && outcome === 'done' && userId === 'machine',
    );
  });
});

test('a new set-up link is printed, and works once', async () => {
  const { setupLink } = (await json('setup-link')) as { setupLink: string };
  const [, secret = ''] = setupLink.split('#');
  const use = () =>
    fetch(`${running.url}/api/v1/setup`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ secret }),
    });
  expect((await use()).ok).toBe(true);
  expect((await use()).ok).toBe(false);
});

test.each([
  ['an unknown command', ['frobnicate']],
  ['a missing argument', ['call']],
  ['arguments that are no JSON object', ['call', 'notes', 'list_notes', 'topic=x']],
  ['a number that is none', ['audit', '--limit', 'many']],
  ['a choice there is not', ['audit', '--kind', 'gossip']],
  ['a lifetime without a unit', ['tokens', 'issue', 'demo', '--expires', '30']],
  ['an endpoint of nothing', ['endpoints', 'add', 'x']],
  ['an endpoint of no tools', ['endpoints', 'add', 'x', 'notes:']],
  ['a style that is none', ['endpoints', 'add', 'x', 'notes', '--style', 'pretty']],
  ['two ways to reach a server', ['servers', 'add', 'x', '--http', 'http://127.0.0.1:1/', '--', 'true']],
  ['a header for a command', ['servers', 'add', 'x', '--header', 'A: b', '--', 'true']],
  ['a header without a colon', ['servers', 'add', 'x', '--http', 'http://127.0.0.1:1/', '--header', 'secret']],
  ['a variable that is not set', ['servers', 'add', 'x', '--env', 'NOT_SET_ANYWHERE', '--', 'true']],
])('%s is misuse: exit code 2, a sentence, nothing on standard output', async (_what, args) => {
  const { code, stdout, stderr } = await run(...args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/\w{4,}/);
  expect(stderr).not.toContain('    at ');
  expect(stderr).not.toContain('secret');
});

test('an address where nothing answers, and a token that is not taken, are told in a sentence', async () => {
  const nowhere = await peta(running.home, ['servers', 'list'], { env: { PETA_URL: 'http://127.0.0.1:2' } });
  expect(nowhere).toMatchObject({ code: 1, stdout: '' });
  expect(nowhere.stderr).toBe(
    'peta: Peta does not answer at http://127.0.0.1:2. Is it running? "peta doctor" finds out more.\n',
  );
  for (const args of [
    ['servers', 'list'],
    ['call', 'notes'],
  ]) {
    const unknown = await peta(running.home, args, { env: { PETA_TOKEN: 'peta_unknown' } });
    expect(unknown).toMatchObject({ code: 1, stdout: '' });
    expect(unknown.stderr).toContain('Give a valid token with PETA_TOKEN');
  }
});

test('output may be cut off by its reader', async () => {
  const script = `"${process.execPath}" cli/src/main.ts servers list --json | head -c 1`;
  const env = { ...process.env, PETA_HOME: running.home };
  const { stderr } = await promisify(execFile)('sh', ['-c', script], { cwd: ROOT, env });
  expect(stderr).toBe('');
});

test('PETA_DEBUG shows where an error came from', async () => {
  const env = { PETA_URL: 'http://127.0.0.1:2', PETA_DEBUG: '1' };
  expect((await peta(newHome(), ['servers', 'list'], { env })).stderr).toContain('    at ');
});
