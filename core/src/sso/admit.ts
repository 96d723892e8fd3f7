import { isAllowedDomain, type Mapped, mapped, namedTeamsOf, namesRoles, PLAIN, type Role } from './mapping.ts';
import type { Provider, Vouched } from './provider.ts';
import { disabled, emailTaken, foreignDomain, noAccount, noEmail, notMapped } from './turned-away.ts';
import { idsFor } from './user-id.ts';

export type Person = {
  userId: string;
  kind: 'person' | 'agent';
  role: number;
  status: number;
  expiresAt: Date | null;
};

/** What a sign-in changed of somebody: the role before and after, where it is another one, and teams. */
export type Followed = {
  before?: string;
  after?: string;
  joined: string[];
  left: string[];
};

/** For the log. */
type Details = Record<string, string | number | string[]>;

type Identity = { workspaceId: string; providerId: string; subject: string };
type Account = { userId: string; name: string; email: string | undefined; role: Role };
export type Wanted = { role?: Role; teams: readonly string[]; namedTeams: readonly string[] };

export type PeopleStore = {
  /** Who somebody at a provider is here. */
  byIdentity(identity: Identity): Promise<Person | undefined>;
  /** Whose address it is, and whether this provider knows them already. */
  byEmail(
    workspaceId: string,
    email: string,
    providerId: string,
  ): Promise<(Person & { isLinked: boolean }) | undefined>;
  link(identity: Identity, userId: string): Promise<void>;
  /** The account and its identity, both or neither; false when the id, the address or the identity is taken. */
  create(identity: Identity, account: Account): Promise<boolean>;
  /** Gives the role and, of the named teams, these and no others. Never touches the owner. */
  follow(workspaceId: string, userId: string, wanted: Wanted): Promise<Followed | undefined>;
};

type Ports = {
  people: PeopleStore;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Something came of a sign-in, for the log: a new account, a link, a change of role or teams. */
  note(operation: 'created' | 'linked' | 'changed', userId: string, details: Details): Promise<void>;
  /** What others remember of this person is old. */
  changed(workspaceId: string, userId: string): Promise<void>;
};

const toldOf = ({ subject }: Identity, email: string | undefined): Details => ({
  subject,
  ...(email !== undefined && { email }),
});

const OWNER = 1;
const ENABLED = 1;

/** Who somebody whom a provider vouches for is here, with the role and teams they have today. Throws `TurnedAway`. */
export const createAdmit = ({ people, now, note, changed }: Ports) => {
  const follow = async (provider: Provider, userId: string, wanted: Wanted): Promise<void> => {
    const followed = await people.follow(provider.workspaceId, userId, wanted);
    if (!followed) return;
    await changed(provider.workspaceId, userId);
    await note('changed', userId, followed);
  };

  const isOpen = ({ status, expiresAt }: Person): boolean =>
    status === ENABLED && (expiresAt === null || expiresAt.getTime() > now());

  const checkDomain = ({ mapping }: Provider, { email }: Vouched): void => {
    if (mapping.allowedDomains.length === 0) return;
    if (email === undefined) throw noEmail();
    if (!isAllowedDomain(mapping, email)) throw foreignDomain();
  };

  /** Never the owner's account or an agent's, nor one that stands for somebody else there: addresses are given anew. */
  const mayLink = (
    { mapping }: Provider,
    { email, isEmailVerified }: Vouched,
    person: Person & { isLinked: boolean },
  ) =>
    mapping.linkByEmail &&
    isEmailVerified &&
    email !== undefined &&
    isAllowedDomain(mapping, email) &&
    person.kind === 'person' &&
    person.role !== OWNER &&
    !person.isLinked;

  const create = async (provider: Provider, identity: Identity, vouched: Vouched, role: Role): Promise<Person> => {
    if (!provider.mapping.createUsers) throw noAccount();
    const { email, username, name } = vouched;
    for (const userId of idsFor(vouched)) {
      const called = (name ?? username ?? email ?? userId).slice(0, 200);
      const isMade = await people.create(identity, { userId, name: called, email, role });
      if (isMade) await note('created', userId, { ...toldOf(identity, email), role: role.roleId ?? role.role });
      // Made just now, by us or by the same person's other browser.
      const person = await people.byIdentity(identity);
      if (person) return person;
    }
    throw emailTaken();
  };

  const firstTime = async (provider: Provider, identity: Identity, vouched: Vouched, role: Role): Promise<Person> => {
    if (vouched.email === undefined && provider.kind === 'oidc' && provider.settings.requireVerifiedEmail)
      throw noEmail();
    const { email } = vouched;
    const person = email === undefined ? undefined : await people.byEmail(provider.workspaceId, email, provider.id);
    if (!person) return create(provider, identity, vouched, role);
    if (!mayLink(provider, vouched, person)) {
      // The same person's other browser may have been faster.
      const known = await people.byIdentity(identity);
      if (known) return known;
      throw emailTaken();
    }
    if (!isOpen(person)) throw disabled(person.userId);
    await people.link(identity, person.userId);
    await note('linked', person.userId, toldOf(identity, email));
    return person;
  };

  const allowed = async (provider: Provider, vouched: Vouched, known: Person | undefined): Promise<Mapped> => {
    checkDomain(provider, vouched);
    const found = mapped(provider.mapping, vouched.groups);
    if (found) return found;
    // What the mapping gave them goes with the group that gave it.
    if (known)
      await follow(provider, known.userId, {
        ...(namesRoles(provider.mapping) && { role: PLAIN }),
        teams: [],
        namedTeams: namedTeamsOf(provider.mapping),
      });
    throw notMapped(known?.userId);
  };

  return async (provider: Provider, vouched: Vouched): Promise<Person> => {
    const { workspaceId } = provider;
    const identity = { workspaceId, providerId: provider.id, subject: vouched.subject };
    const known = await people.byIdentity(identity);
    if (known && !isOpen(known)) throw disabled(known.userId);
    const { role, followsRole, teams, namedTeams } = await allowed(provider, vouched, known);
    const person = known ?? (await firstTime(provider, identity, vouched, role));
    await follow(provider, person.userId, { ...(followsRole && { role }), teams, namedTeams });
    return (await people.byIdentity(identity)) ?? person;
  };
};
