/** Workspaces of one Peta, filled with things that carry a mark, so that whatever leaks is seen. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Client, createClient } from '@peta/api';
import { fixture, registerFixture } from './fixtures.ts';
import { type RunningPeta, until } from './peta.ts';
import { callTool, initialize } from './raw.ts';
import { modernTasks } from './tasks.ts';

export type Role = 'owner' | 'administrator' | 'user';
export const ROLES: readonly Role[] = ['owner', 'administrator', 'user'];

/** One workspace, as those who are in it know it. */
export type Tenant = {
  mark: string;
  /** The owner's. */
  api: Client;
  tokens: Record<Role, string>;
  /** The owner's session of 2025-11-25, and a task of theirs. */
  session: string;
  taskId: string;
};

export const machineOf = (home: string): { url: string; token: string } =>
  JSON.parse(readFileSync(join(home, 'admin.json'), 'utf8'));

const selectionOf = (mark: string) => [{ serverId: 'shared' }, { serverId: `server-${mark}` }, { serverId: 'tasks' }];

/**
 * Makes a workspace. In every one of them there is a server `shared` and an endpoint `tools`; all else
 * carries the mark.
 */
export const createTenant = async (peta: RunningPeta, mark: string): Promise<Tenant> => {
  const machine = machineOf(peta.home);
  const installation = createClient(machine.url, { token: machine.token });
  const { setupLink } = await installation.workspaces.create({
    workspaceId: `workspace-${mark}`,
    name: `Workspace ${mark}`,
  });
  const secret = setupLink.split('#')[1] ?? '';
  const owner = await createClient(peta.url).setup.complete({ secret, userId: `owner-${mark}`, name: `Owner ${mark}` });
  const api = createClient(peta.url, { token: owner.secret });
  const tokenOf = async (userId: string, role: 2 | 3) => {
    await api.users.create({ userId, name: `Name ${mark}`, notes: `Notes ${mark}`, role });
    return (await api.tokens.issue({ userId, name: `token ${mark}` })).secret;
  };
  const tokens = {
    owner: owner.secret,
    administrator: await tokenOf(`administrator-${mark}`, 2),
    user: await tokenOf(`user-${mark}`, 3),
  };
  await api.environments.create({ environmentId: `environment-${mark}`, name: `Environment ${mark}` });
  await registerFixture(api, 'shared', fixture('marked', mark));
  await registerFixture(api, `server-${mark}`, fixture('marked', mark));
  await registerFixture(api, 'tasks', fixture('conformance', '--stdio', '--era', 'modern'));
  for (const serverId of ['shared', `server-${mark}`]) await api.servers.update({ serverId, publicAccess: true });
  await api.servers.update({
    serverId: `server-${mark}`,
    environment: `environment-${mark}`,
    serverName: `Server ${mark}`,
    anonymousAccess: true,
  });
  for (const name of ['tools', `endpoint-${mark}`])
    await api.endpoints.create({
      name,
      description: `Endpoint ${mark}`,
      anonymous: true,
      selection: selectionOf(mark),
    });
  await api.teams.create({ teamId: `team-${mark}`, name: `Team ${mark}`, description: `All of ${mark}` });
  await api.teams.addMember({ teamId: `team-${mark}`, userId: `user-${mark}` });
  await api.roles.create({ roleId: `role-${mark}`, name: `Role ${mark}`, operations: ['audit.list'] });
  await api.agents.create({ userId: `agent-${mark}`, name: `Agent ${mark}`, ownerTeamId: `team-${mark}` });
  await api.clients.create({ name: `Client ${mark}`, userId: `agent-${mark}` });
  await api.identityProviders.create({
    ...{ providerId: `provider-${mark}`, name: `Provider ${mark}`, kind: 'oidc', enabled: false },
    ...{ settings: { issuer: `https://${mark}.example`, clientId: 'peta' }, secret: `of ${mark} alone` },
  });
  await api.proxy.create({ name: `Proxy ${mark}`, proxyKey: `key-${mark}` });
  await api.me.setPreferences({
    client: `client-${mark}`,
    permissions: { shared: { enabled: true, tools: { [`off_${mark}`]: { enabled: false } } } },
  });
  await callTool(peta.mcpUrl, tokens.user, `server-${mark}__tell_${mark}`, { why: `because ${mark}` });
  await callTool(peta.mcpUrl, tokens.user, `server-${mark}__fail`, {});
  const tasks = await modernTasks(peta.mcpUrl, tokens.owner);
  const { taskId } = await tasks.begin('tasks__slow_compute', { seconds: 600 });
  const session = await initialize(peta.mcpUrl, tokens.owner);
  await until('the log has it', async () => (await api.audit.list({ kind: 'call' })).records.length > 2);
  return { mark, api, tokens, session, taskId };
};

/** What is there of a workspace, as its owner sees it, without what changes by itself. */
export const snapshot = async ({ api }: Tenant): Promise<string> => {
  const parts = await Promise.all([
    api.users.list({}),
    api.tokens.list({}),
    api.servers.list({}),
    api.endpoints.list({}),
    api.environments.list({}),
    api.teams.list({}),
    api.roles.list({}),
    api.agents.list({}),
    api.clients.list({}),
    api.identityProviders.list({}),
    api.sessions.list({}),
    api.me.preferences({}),
    api.proxy.get({}),
    api.audit.list({ limit: 1000 }),
    api.capabilities.available({}),
  ]);
  return JSON.stringify(
    parts,
    (key, value) => (['lastUsedAt', 'status', 'statusReason'].includes(key) ? undefined : value),
    1,
  );
};
