import { LaunchConfig, type Server, type User } from '@peta/api';
import { z } from 'zod';
import { invalid, invalidPermissions } from './errors.ts';

/** The shapes of `POST /admin` where they differ from ours: Unix seconds, JSON strings, envelopes. */

export type Data = Record<string, unknown>;

const seconds = (time: string | null): number => (time === null ? 0 : Math.floor(new Date(time).getTime() / 1000));

/** 0 means never. */
const timeFromSeconds = (value: unknown): string | null | undefined => {
  if (value === undefined) return undefined;
  const number = z.coerce.number().int().min(0).safeParse(value);
  if (!number.success) throw invalid('expiresAt: Unix seconds, or 0 for never.');
  return number.data === 0 ? null : new Date(number.data * 1000).toISOString();
};

/** An object, or the JSON of one. */
const objectOf = (name: string, value: unknown, refuse: (message: string) => Error = invalidPermissions): unknown => {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    throw refuse(`${name}: is neither an object nor the JSON of one.`);
  }
};

/** `targetId` is what older actions call the id. */
export const withTarget = (key: 'userId' | 'serverId', { targetId, ...rest }: Data): Data =>
  targetId === undefined ? rest : { [key]: targetId, ...rest };

export const userInput = (data: Data): Data => {
  const {
    name,
    permissions,
    role,
    expiresAt,
    createdAt: _c,
    updatedAt: _u,
    proxyId: _p,
    ...rest
  } = withTarget('userId', data);
  const time = timeFromSeconds(expiresAt);
  return {
    ...rest,
    ...(name !== undefined && name !== '' && { name }),
    ...(permissions !== undefined && { permissions: objectOf('permissions', permissions) }),
    ...(role !== undefined && { role: role === 0 ? 3 : role }),
    ...(time !== undefined && { expiresAt: time }),
  };
};

/** Opens the launch configuration with the token that sent it. */
export const serverInput = async (data: Data, open: (envelope: string) => Promise<string>): Promise<Data> => {
  const {
    launchConfig,
    capabilities,
    createdAt: _c,
    updatedAt: _u,
    proxyId: _p,
    ...rest
  } = withTarget('serverId', data);
  return {
    ...rest,
    ...(capabilities !== undefined && { capabilities: objectOf('capabilities', capabilities) }),
    ...(launchConfig !== undefined && { launchConfig: await readLaunchConfig(launchConfig, open) }),
  };
};

const readLaunchConfig = async (value: unknown, open: (envelope: string) => Promise<string>): Promise<unknown> => {
  if (typeof value !== 'string' || value === '') throw invalid('launchConfig: a JSON string of {data, iv, salt, tag}.');
  const text = await open(value).catch((error: Error) => {
    throw invalid(`launchConfig: ${error.message}`);
  });
  const config = objectOf('launchConfig', text, invalid);
  const typed =
    typeof config === 'object' && config !== null && !('type' in config) ? { type: 'stdio', ...config } : config;
  const parsed = LaunchConfig.safeParse(typed);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw invalid(`launchConfig: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
};

export const presentUser = (
  { expiresAt, createdAt, updatedAt, kind: _k, email: _e, roleId: _r, ownerUserId: _u, ownerTeamId: _t, ...user }: User,
  encryptedToken: string | null,
): Data => ({
  ...user,
  encryptedToken,
  proxyId: 0,
  expiresAt: seconds(expiresAt),
  createdAt: seconds(createdAt),
  updatedAt: seconds(updatedAt),
});

export const presentServer = ({
  createdAt,
  updatedAt,
  transport: _t,
  statusReason: _r,
  environment: _e,
  ...server
}: Server): Data => ({
  ...server,
  proxyId: 0,
  launchConfig: '{}',
  configured: true,
  createdAt: seconds(createdAt),
  updatedAt: seconds(updatedAt),
});
