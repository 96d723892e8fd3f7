import type { JsonObject } from '#call';
import { forbidden, notFound, quoted } from './errors.ts';
import { isShown, project, type Query, type Shown, toList } from './list.ts';
import { mayChange } from './may-provision.ts';
import { applyPatch } from './patch.ts';
import { type Asker, type Condition, type Ports, requireVersion } from './ports.ts';
import { checkSchemas, readResource } from './read.ts';
import { schemas } from './schema.ts';
import { attributesOf, columnsOf, type GroupOf, newId, type Person, type PersonColumns, toUser } from './user.ts';

/** People of one workspace. Names and addresses that another has are refused as taken. */
export type UserStore = {
  list(workspaceId: string, query: Query): Promise<{ people: Person[]; total: number }>;
  find(workspaceId: string, id: string): Promise<Person | undefined>;
  /** The teams that people are in, by their ids. */
  groups(workspaceId: string, ids: readonly string[]): Promise<ReadonlyMap<string, GroupOf[]>>;
  create(workspaceId: string, id: string, columns: PersonColumns): Promise<Person>;
  /** Nobody else changes the person between what `decide` is told and what it answers. Undefined when there is none. */
  change(
    workspaceId: string,
    id: string,
    decide: (before: Person, groups: readonly GroupOf[]) => PersonColumns,
  ): Promise<{ before: Person; after: Person } | undefined>;
  /** With all that is theirs; returns the ids of who is gone, agents of theirs among them. */
  remove(workspaceId: string, id: string): Promise<string[] | undefined>;
};

const { user: schema } = schemas;

const noUser = (id: string) => notFound(`There is no user with the id ${quoted(id)}.`);

/** What the log keeps of a person. */
const forLog = (person: Person): JsonObject => ({ ...attributesOf(person), status: person.status });

const checkMayChange = ({ caller }: Asker, person: Person): void => {
  if (mayChange(caller, person)) return;
  const who =
    person.id === caller.userId ? 'the one whose token this is' : 'the owner, an administrator or somebody with a role';
  throw forbidden(`${quoted(person.id)} is ${who}: this token cannot change them.`);
};

export const createUsers = (store: UserStore, { changed, publish, base }: Ports) => {
  const groupsOf = async (workspaceId: string, id: string) => (await store.groups(workspaceId, [id])).get(id) ?? [];

  const record = (who: Asker, operation: string, id: string, details: JsonObject) =>
    changed({ ...who, operation: `scim.users.${operation}`, target: id, details, outcome: 'done' });

  const checkVersion = (condition: Condition, person: Person, groups: readonly GroupOf[]): void => {
    requireVersion(condition, toUser(person, groups, base()));
  };

  const change = async (
    who: Asker,
    operation: string,
    id: string,
    condition: Condition,
    decide: (before: Person) => JsonObject,
  ): Promise<JsonObject> => {
    const { workspaceId } = who.caller;
    const done = await store.change(workspaceId, id, (before, groups) => {
      checkMayChange(who, before);
      checkVersion(condition, before, groups);
      return columnsOf(decide(before), before);
    });
    if (!done) throw noUser(id);
    await publish({ topic: 'user', workspaceId, id });
    await record(who, operation, id, { before: forLog(done.before), after: forLog(done.after) });
    return toUser(done.after, await groupsOf(workspaceId, id), base());
  };

  return {
    async list({ caller: { workspaceId } }: Asker, query: Query, shown: Shown): Promise<JsonObject> {
      const { people, total } = await store.list(workspaceId, query);
      const needsGroups = isShown(shown, 'groups') || isShown(shown, 'meta');
      const ids = needsGroups ? people.map(({ id }) => id) : [];
      const groups = await store.groups(workspaceId, ids);
      const users = people.map((person) => project(toUser(person, groups.get(person.id) ?? [], base()), shown));
      return toList(users, total, query.offset);
    },

    async get({ caller: { workspaceId } }: Asker, id: string): Promise<JsonObject> {
      const person = await store.find(workspaceId, id);
      if (!person) throw noUser(id);
      return toUser(person, await groupsOf(workspaceId, id), base());
    },

    /** Whoever is made so may do what users may, and no more. */
    async create(who: Asker, body: unknown): Promise<JsonObject> {
      const columns = columnsOf(readResource(schema, checkSchemas(body, schema.id)));
      const { workspaceId } = who.caller;
      const person = await store.create(workspaceId, newId(String(columns.directory.userName)), columns);
      await publish({ topic: 'user', workspaceId, id: person.id });
      await record(who, 'create', person.id, { after: forLog(person) });
      return toUser(person, [], base());
    },

    /** What a PUT leaves out is gone, except for whether they may come in, and the directory's id. */
    replace(who: Asker, id: string, body: unknown, condition: Condition): Promise<JsonObject> {
      const written = readResource(schema, checkSchemas(body, schema.id));
      return change(who, 'replace', id, condition, ({ externalId }) => ({
        ...(externalId !== null && { externalId }),
        ...written,
      }));
    },

    patch: (who: Asker, id: string, body: unknown, condition: Condition): Promise<JsonObject> =>
      change(who, 'patch', id, condition, (before) => applyPatch(schema, attributesOf(before), body)),

    async remove(who: Asker, id: string, condition: Condition): Promise<void> {
      const { workspaceId } = who.caller;
      const person = await store.find(workspaceId, id);
      if (!person) throw noUser(id);
      checkMayChange(who, person);
      if (condition !== undefined) checkVersion(condition, person, await groupsOf(workspaceId, id));
      const removed = (await store.remove(workspaceId, id)) ?? [];
      for (const one of removed) await publish({ topic: 'user', workspaceId, id: one });
      await record(who, 'remove', id, { before: forLog(person), removed });
    },
  };
};

export type Users = ReturnType<typeof createUsers>;
