import type { Handlers, User } from '@peta/api';
import { forbidden, invalid, noUser } from './errors.ts';
import type { Asker } from './run.ts';
import type { TeamStore } from './teams.ts';
import { callerOf, type Publish, type UserStore } from './users.ts';

/** A person has few programs; without a bound the row that every call reads could grow without end. */
const MAX_CLIENTS = 100;

type Ports = { store: UserStore; teams: Pick<TeamStore, 'of'>; publish: Publish };

const MACHINE_USER = (now: Date): User => ({
  userId: 'machine',
  name: 'This machine',
  notes: 'The key in PETA_HOME, used by the peta command.',
  kind: 'person',
  email: null,
  role: 1,
  roleId: null,
  ownerUserId: null,
  ownerTeamId: null,
  status: 1,
  permissions: {},
  ratelimit: 1_000_000,
  expiresAt: null,
  createdAt: now.toISOString(),
  updatedAt: now.toISOString(),
});

export const createMe = ({ store, teams, publish }: Ports): Handlers<Asker>['me'] => {
  const own = (who: Asker) => {
    const { workspaceId, userId } = callerOf(who);
    if (userId === null) throw forbidden("The machine's key is nobody's own: use a person's token.");
    return { workspaceId, userId };
  };
  return {
    async get(_input, who) {
      const { workspaceId, userId, tokenId } = callerOf(who);
      if (userId === null) return { user: MACHINE_USER(new Date()), tokenId, teams: [] };
      const user = await store.find(workspaceId, userId);
      if (!user) throw noUser(userId);
      return { user, tokenId, teams: await teams.of(workspaceId, userId) };
    },
    async preferences(_input, who) {
      const { workspaceId, userId } = own(who);
      return { clients: await store.preferences(workspaceId, userId) };
    },
    async setPreferences({ client, permissions }, who) {
      const { workspaceId, userId } = own(who);
      const known = await store.preferences(workspaceId, userId);
      if (!Object.hasOwn(known, client) && Object.keys(known).length >= MAX_CLIENTS)
        throw invalid(`client: there are ${MAX_CLIENTS} already; forget one by setting its permissions to {}.`);
      who.before({ permissions: known[client] ?? {} });
      const clients = await store.setPreferences(workspaceId, userId, client, permissions);
      await publish({ topic: 'user', workspaceId, id: userId });
      return { clients };
    },
  };
};
