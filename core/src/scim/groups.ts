import type { JsonObject } from '#call';
import { notFound, quoted } from './errors.ts';
import { attributesOf, columnsOf, type Group, type GroupColumns, type Member, toGroup } from './group.ts';
import { isShown, project, type Query, type Shown, toList } from './list.ts';
import { applyPatch } from './patch.ts';
import { type Asker, type Condition, type Ports, requireVersion } from './ports.ts';
import { checkSchemas, readResource } from './read.ts';
import { schemas } from './schema.ts';
import { newId } from './user.ts';

type Decided = { columns: GroupColumns; memberIds: ReadonlySet<string> };
export type Moved = { added: string[]; removed: string[] };

/** Teams of one workspace. A name that another has is refused as taken, and so is a member who is not there. */
export type GroupStore = {
  list(workspaceId: string, query: Query): Promise<{ groups: Group[]; total: number }>;
  find(workspaceId: string, id: string): Promise<Group | undefined>;
  /** The people in teams, by the teams' ids. Refuses when they are too many to tell at once. */
  members(workspaceId: string, ids: readonly string[]): Promise<ReadonlyMap<string, Member[]>>;
  create(workspaceId: string, id: string, decided: Decided): Promise<Group>;
  /** Nobody else changes the team between what `decide` is told and what it answers. Undefined when there is none. */
  change(
    workspaceId: string,
    id: string,
    decide: (before: Group, members: readonly Member[]) => Decided,
  ): Promise<({ before: Group; after: Group } & Moved) | undefined>;
  /** With the agents that are the team's; returns their ids, or undefined when there is no such team. */
  remove(workspaceId: string, id: string): Promise<string[] | undefined>;
};

const { group: schema } = schemas;
const AT_ONCE = 50;

const noGroup = (id: string) => notFound(`There is no group with the id ${quoted(id)}.`);
const forLog = ({ id, name, externalId }: Group): JsonObject => ({ id, displayName: name, externalId });

export const createGroups = (store: GroupStore, { changed, publish, base }: Ports) => {
  const record = (who: Asker, operation: string, id: string, details: JsonObject) =>
    changed({ ...who, operation: `scim.groups.${operation}`, target: id, details, outcome: 'done' });

  /** What a person may do can hang on their teams. */
  const tell = async (workspaceId: string, { added, removed }: Moved): Promise<void> => {
    const ids = [...added, ...removed];
    for (let at = 0; at < ids.length; at += AT_ONCE)
      await Promise.all(ids.slice(at, at + AT_ONCE).map((id) => publish({ topic: 'user', workspaceId, id })));
  };

  const membersOf = async (workspaceId: string, id: string) => (await store.members(workspaceId, [id])).get(id) ?? [];

  const checkVersion = (condition: Condition, group: Group): void => {
    requireVersion(condition, toGroup(group, [], base()));
  };

  const change = async (
    who: Asker,
    operation: string,
    id: string,
    condition: Condition,
    decide: (before: Group, members: readonly Member[]) => JsonObject,
  ): Promise<JsonObject> => {
    const { workspaceId } = who.caller;
    const done = await store.change(workspaceId, id, (before, members) => {
      checkVersion(condition, before);
      return columnsOf(decide(before, members));
    });
    if (!done) throw noGroup(id);
    const { before, after, added, removed } = done;
    await tell(workspaceId, done);
    await record(who, operation, id, { before: forLog(before), after: forLog(after), added, removed });
    return toGroup(after, await membersOf(workspaceId, id), base());
  };

  return {
    async list({ caller: { workspaceId } }: Asker, query: Query, shown: Shown): Promise<JsonObject> {
      const { groups, total } = await store.list(workspaceId, query);
      const ids = isShown(shown, 'members') ? groups.map(({ id }) => id) : [];
      const members = await store.members(workspaceId, ids);
      const resources = groups.map((group) => project(toGroup(group, members.get(group.id) ?? [], base()), shown));
      return toList(resources, total, query.offset);
    },

    async get({ caller: { workspaceId } }: Asker, id: string, shown: Shown): Promise<JsonObject> {
      const group = await store.find(workspaceId, id);
      if (!group) throw noGroup(id);
      return toGroup(group, isShown(shown, 'members') ? await membersOf(workspaceId, id) : [], base());
    },

    async create(who: Asker, body: unknown): Promise<JsonObject> {
      const decided = columnsOf(readResource(schema, checkSchemas(body, schema.id)));
      const { workspaceId } = who.caller;
      const group = await store.create(workspaceId, newId(decided.columns.name), decided);
      const moved = { added: [...decided.memberIds], removed: [] };
      await tell(workspaceId, moved);
      await record(who, 'create', group.id, { after: forLog(group), added: moved.added });
      return toGroup(group, await membersOf(workspaceId, group.id), base());
    },

    /** What a PUT leaves out is gone, except for the directory's id. */
    replace(who: Asker, id: string, body: unknown, condition: Condition): Promise<JsonObject> {
      const written = readResource(schema, checkSchemas(body, schema.id));
      return change(who, 'replace', id, condition, ({ externalId }) => ({
        ...(externalId !== null && { externalId }),
        ...written,
      }));
    },

    patch: (who: Asker, id: string, body: unknown, condition: Condition): Promise<JsonObject> =>
      change(who, 'patch', id, condition, (before, members) => applyPatch(schema, attributesOf(before, members), body)),

    async remove(who: Asker, id: string, condition: Condition): Promise<void> {
      const { workspaceId } = who.caller;
      const group = await store.find(workspaceId, id);
      if (!group) throw noGroup(id);
      checkVersion(condition, group);
      const removed = (await membersOf(workspaceId, id)).map((member) => member.id);
      const agents = (await store.remove(workspaceId, id)) ?? [];
      await tell(workspaceId, { added: [], removed: [...removed, ...agents] });
      await record(who, 'remove', id, { before: forLog(group), removed, agents });
    },
  };
};

export type Groups = ReturnType<typeof createGroups>;
