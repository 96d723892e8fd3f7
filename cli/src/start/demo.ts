import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type Client, createClient, type LaunchConfig } from '@peta/api';
import { startNotesServer } from '../demo/notes-server.ts';
import { Failure } from '../failure.ts';
import { readMachineFile } from '../target.ts';

export type Demo = { token: string; close(): Promise<void> };

const USER = 'demo';
const TOKEN_NAME = 'demo';
const SERVERS = ['everything', 'filesystem', 'notes'];
const READY_MS = 30_000;
const ONLINE = 0;

const WELCOME = `Welcome to Peta.

This file was read by the filesystem server, which Peta started, on behalf of the person "demo".
The server may read this folder and no other.
`;

const entryOf = (name: string): string => createRequire(import.meta.url).resolve(`${name}/dist/index.js`);

const stdio = (...args: string[]): LaunchConfig => ({
  type: 'stdio',
  command: process.execPath,
  args,
  env: {},
  mcpProtocol: 'auto',
});

const makeFolder = async (home: string): Promise<string> => {
  const folder = join(home, 'demo-files');
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'welcome.txt'), WELCOME);
  } catch (cause) {
    throw new Failure(`The demo needs the folder ${folder} and cannot write there. Move away what is in its place.`, {
      cause,
    });
  }
  return folder;
};

/** Registers a server, or brings one from an earlier start up to date. */
const register = async (
  api: Client,
  serverId: string,
  serverName: string,
  launchConfig: LaunchConfig,
): Promise<void> => {
  const { servers } = await api.servers.list({});
  if (servers.some((server) => server.serverId === serverId))
    await api.servers.update({ serverId, launchConfig, enabled: true });
  else await api.servers.create({ serverId, serverName, launchConfig });
};

const issueToken = async (api: Client): Promise<string> => {
  const { users } = await api.users.list({});
  if (!users.some(({ userId }) => userId === USER)) {
    const all = { everything: { enabled: true }, filesystem: { enabled: true }, notes: { enabled: true } };
    await api.users.create({ userId: USER, name: 'Demo person', role: 3, permissions: all });
  }
  const { tokens } = await api.tokens.list({ userId: USER });
  const earlier = tokens.filter(({ name, revokedAt }) => name === TOKEN_NAME && revokedAt === null);
  for (const { tokenId } of earlier) await api.tokens.revoke({ tokenId });
  return (await api.tokens.issue({ userId: USER, name: TOKEN_NAME })).secret;
};

/** Waits until all three have been listed; a demo that is not ready says which server is missing and why. */
const ready = async (api: Client): Promise<void> => {
  for (const deadline = Date.now() + READY_MS; ; await new Promise((done) => setTimeout(done, 100))) {
    const { servers } = await api.servers.list({});
    const { capabilities } = await api.capabilities.available({});
    const waiting = servers.filter(
      ({ serverId, status }) =>
        SERVERS.includes(serverId) &&
        (status !== ONLINE || Object.keys(capabilities[serverId]?.tools ?? {}).length === 0),
    );
    if (waiting.length === 0) return;
    if (Date.now() > deadline) {
      const reasons = waiting.map(({ serverId, statusReason }) => `${serverId}: ${statusReason ?? 'not ready yet'}`);
      console.error(`peta: not every demo server is ready. ${reasons.join('; ')}`);
      return;
    }
  }
};

/** Three real servers, a person who may use them, and a token. May be run again on the same folder. */
export const startDemo = async ({ home }: { home: string }): Promise<Demo> => {
  const machine = await readMachineFile(home);
  if (!machine) throw new Failure(`The demo found no admin.json in ${home}.`);
  const api = createClient(machine.url, { token: machine.token });
  const folder = await makeFolder(home);
  const notes = await startNotesServer();
  try {
    await register(
      api,
      'everything',
      'Everything (reference server)',
      stdio(entryOf('@modelcontextprotocol/server-everything'), 'stdio'),
    );
    await register(
      api,
      'filesystem',
      'Files in demo-files',
      stdio(entryOf('@modelcontextprotocol/server-filesystem'), folder),
    );
    await register(api, 'notes', 'Notes', { type: 'http', url: notes.url, headers: {}, mcpProtocol: 'auto' });
    const token = await issueToken(api);
    await ready(api);
    return { token, close: notes.close };
  } catch (error) {
    await notes.close();
    throw error;
  }
};
