import type { Server, User } from '@peta/api';
import { AdminError, invalid } from './errors.ts';
import { type Data, presentServer, presentUser, serverInput, userInput, withTarget } from './published.ts';

/** What an action may need besides its data. */
export type ActionPorts = {
  /** Opens an envelope with the token that sent this request. */
  open(envelope: string): Promise<string>;
  /** The stored envelopes of people's tokens, by user id. */
  encryptedTokens(): Promise<Record<string, string | null>>;
  /** Keeps another envelope of the same token. */
  keepEnvelope(userId: string, envelope: string): Promise<void>;
};

/** How one published action becomes one of our operations, once its guard is passed, and its result the published one. */
export type Action = {
  /** Name of the operation, such as `users.update`. */
  operation: string;
  input?(data: Data, ports: ActionPorts): Data | Promise<Data>;
  output?(result: Data, data: Data, ports: ActionPorts): unknown;
};

const nothing = () => null;
const userTarget = (data: Data) => withTarget('userId', data);
const serverTarget = (data: Data) => withTarget('serverId', data);
const without =
  (...keys: string[]) =>
  (data: Data): Data =>
    Object.fromEntries(Object.entries(data).filter(([key]) => !keys.includes(key)));

const oneUser = async (result: Data, _data: Data, ports: ActionPorts) => {
  const user = result.user as User;
  return { user: presentUser(user, (await ports.encryptedTokens())[user.userId] ?? null) };
};
const oneServer = (result: Data) => ({ server: presentServer(result.server as Server) });

const MAX_ENVELOPE = 10_000;

/** The id of a person is made from their token, so another envelope can only be another wrapping of the same token. */
const rewrapped = ({ encryptedToken }: Data): string | undefined => {
  if (encryptedToken === undefined) return undefined;
  if (typeof encryptedToken === 'string' && encryptedToken !== '' && encryptedToken.length <= MAX_ENVELOPE)
    return encryptedToken;
  throw invalid('encryptedToken: a JSON string of {data, iv, salt, tag}.');
};

const noOauth = (data: Data): never => {
  const serverId = String(data.serverId ?? data.targetId ?? '');
  throw new AdminError(400, 'NO_OAUTH_CONNECTION', 1001, `The server "${serverId}" has no OAuth connection to renew.`);
};

/** The published numbers of groups 1000, 2000, 3000 and 5000 as aliases of our operations. */
export const actions: Readonly<Record<number, Action>> = {
  1001: { operation: 'users.disable', input: userTarget, output: nothing },
  1002: { operation: 'users.setPermissions', input: userInput, output: nothing },
  1010: { operation: 'users.create', input: userInput, output: oneUser },
  1011: {
    operation: 'users.list',
    input: ({ role, excludeRole }) => ({ role, excludeRole }),
    async output(result, { userId }, ports) {
      const envelopes = await ports.encryptedTokens();
      const users = (result.users as User[]).filter((user) => userId === undefined || user.userId === userId);
      return { users: users.map((user) => presentUser(user, envelopes[user.userId] ?? null)) };
    },
  },
  1012: {
    operation: 'users.update',
    input(data) {
      rewrapped(data);
      return userInput(data);
    },
    async output(result, data, ports) {
      const envelope = rewrapped(data);
      if (envelope !== undefined) await ports.keepEnvelope((result.user as User).userId, envelope);
      return oneUser(result, data, ports);
    },
  },
  1013: { operation: 'users.remove', input: userTarget },
  1014: { operation: 'users.removeAll', input: without('proxyId') },
  1015: { operation: 'users.count' },
  1016: { operation: 'users.owner' },
  2001: { operation: 'servers.start', input: serverTarget, output: nothing },
  2002: { operation: 'servers.stop', input: serverTarget, output: nothing },
  2003: { operation: 'servers.setCapabilities', input: (data, { open }) => serverInput(data, open), output: nothing },
  2004: { operation: 'servers.setLaunchConfig', input: (data, { open }) => serverInput(data, open), output: nothing },
  2005: { operation: 'servers.connectAll' },
  2010: {
    operation: 'servers.create',
    input(data, { open }) {
      for (const field of ['launchConfig', 'configTemplate', 'category'])
        if (data[field] === undefined || data[field] === '') throw invalid(`${field}: is missing.`);
      return serverInput(without('capabilities')(data), open);
    },
    output: oneServer,
  },
  2011: {
    operation: 'servers.list',
    input: ({ enabled }) => (enabled === undefined ? {} : { enabled: String(enabled) }),
    output: (result, { serverId }) => ({
      servers: (result.servers as Server[])
        .filter((server) => serverId === undefined || server.serverId === serverId)
        .map(presentServer),
    }),
  },
  2012: { operation: 'servers.update', input: (data, { open }) => serverInput(data, open), output: oneServer },
  2013: { operation: 'servers.remove', input: serverTarget },
  2014: { operation: 'servers.removeAll', input: without('proxyId') },
  2015: { operation: 'servers.count' },
  2016: { operation: 'servers.setLaunchConfig', input: noOauth },
  2017: { operation: 'servers.setLaunchConfig', input: noOauth },
  3002: { operation: 'capabilities.available' },
  3003: { operation: 'capabilities.ofUser', input: userTarget },
  3004: { operation: 'capabilities.statuses' },
  3005: { operation: 'capabilities.ofServer', input: serverTarget },
  5001: { operation: 'proxy.get' },
  5002: { operation: 'proxy.create' },
  5003: { operation: 'proxy.update' },
  5004: { operation: 'proxy.remove' },
  5005: { operation: 'proxy.stop' },
};
