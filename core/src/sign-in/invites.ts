import { timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { hashToken, newSecret } from '#lib/token';
import type { PeopleStore, Person, PersonKey } from './people.ts';
import type { Carried, StepStore } from './steps.ts';

type Options = { people: PeopleStore; steps: StepStore; carried: Carried; now(): Date };

const INVITE_HOURS = 24;
const INVITE_MS = INVITE_HOURS * 3_600_000;
const PURPOSE = 'invite';

const Kept = z.object({ secretHash: z.string(), createdAt: z.string() });

/** What stands after the # of a link: whose it is, and its secret. */
const parse = (link: string) => {
  const [, workspaceId, userId, secret] = /^([^/]{1,64})\/([^/]{1,64})\/(petawelcome_[\w-]{1,100})$/.exec(link) ?? [];
  return workspaceId && userId && secret ? { workspaceId, userId, secret } : undefined;
};

const rowOf = ({ workspaceId, userId }: PersonKey): string =>
  hashToken(JSON.stringify(['invite', workspaceId, userId]));
const isSame = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

/** One-time links with which a person sets a password or passkey; each new one ends the one before. */
export const createInvites = ({ people, steps, carried, now }: Options) => {
  /** Whose link this is, while it is good: for the person that it was made for, not for another of the same id later. */
  const read = async (link: string, look: StepStore['peek']): Promise<Person | undefined> => {
    const parts = parse(link);
    if (!parts) return undefined;
    const person = await people.find(parts.workspaceId, parts.userId, now());
    const sealed = await look(rowOf(parts), now());
    const kept = Kept.safeParse(carried.open(PURPOSE, sealed));
    if (!person?.isWelcome || person.userId !== parts.userId || !kept.success) return undefined;
    const isGood = isSame(kept.data.secretHash, hashToken(parts.secret));
    return isGood && kept.data.createdAt === person.createdAt.toISOString() ? person : undefined;
  };

  return {
    async create(person: Person): Promise<{ link: string; expiresAt: Date }> {
      const { workspaceId, userId } = person;
      const { secret, hash } = newSecret('petawelcome_');
      const expiresAt = new Date(now().getTime() + INVITE_MS);
      const kept = { secretHash: hash, createdAt: person.createdAt.toISOString() };
      await steps.put(rowOf(person), carried.seal(PURPOSE, kept, INVITE_MS), expiresAt);
      return { link: `${workspaceId}/${userId}/${secret}`, expiresAt };
    },

    /** Whose it is; it stays good. */
    peek: (link: string): Promise<Person | undefined> => read(link, steps.peek),

    /** Whose it is; it is used up. A wrong secret uses up nothing. */
    async use(link: string): Promise<Person | undefined> {
      return (await read(link, steps.peek)) && read(link, steps.take);
    },
  };
};

export type Invites = ReturnType<typeof createInvites>;
