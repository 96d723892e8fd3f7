import type { Authenticators } from './authenticators.ts';
import { faultOf } from './password-rules.ts';
import type { PeopleStore, Person, PersonKey } from './people.ts';
import type { Throttle } from './throttle.ts';

/** Hashes passwords; `verify` takes as long where there is none. */
type Passwords = {
  hash(password: string): Promise<string>;
  verify(kept: string | null, password: string): Promise<boolean>;
};

type Options = {
  people: PeopleStore;
  passwords: Passwords;
  authenticators: Authenticators;
  throttle: Throttle;
  now(): Date;
};

/** Where a try comes from. */
export type From = { address: string; browserIdOf(person: PersonKey): string | undefined };

export type Tried =
  | { kind: 'in'; person: Person; methods: string[] }
  /** The password is right, and a code is still needed. */
  | { kind: 'code'; person: Person }
  | { kind: 'wrong'; person: Person | undefined }
  | { kind: 'wait'; seconds: number; person: Person | undefined };

/** Accounts that Peta itself keeps: a password, with a code from an app where the person has set one up. */
export const createLocal = ({ people, passwords, authenticators, throttle, now }: Options) => {
  const begin = (
    what: 'password' | 'code',
    workspaceId: string,
    account: string,
    { address, browserIdOf }: From,
    person: Person | undefined,
  ) => throttle.begin({ what, workspaceId, account, address, browserId: person && browserIdOf(person) });
  const secondsOf = (waitMs: number) => Math.ceil(waitMs / 1000);

  return {
    /** Answers the same, after the same time, for a name that nobody has. */
    async tryPassword(workspaceId: string, name: string, password: string, from: From): Promise<Tried> {
      const person = await people.find(workspaceId, name, now());
      const { waitMs, succeeded } = await begin(
        'password',
        workspaceId,
        person?.userId ?? name.toLowerCase(),
        from,
        person,
      );
      if (waitMs > 0) return { kind: 'wait', seconds: secondsOf(waitMs), person };
      const isRight = await passwords.verify(person?.passwordHash ?? null, password);
      if (!person || !isRight || !person.isWelcome) return { kind: 'wrong', person };
      await succeeded();
      return person.hasAuthenticator ? { kind: 'code', person } : { kind: 'in', person, methods: ['password'] };
    },

    /** The second step, for somebody whose password was right. */
    async tryCode({ workspaceId, userId }: PersonKey, code: string, from: From): Promise<Tried> {
      const person = await people.find(workspaceId, userId, now());
      if (!person?.isWelcome) return { kind: 'wrong', person };
      const { waitMs, succeeded } = await begin('code', workspaceId, userId, from, person);
      if (waitMs > 0) return { kind: 'wait', seconds: secondsOf(waitMs), person };
      const method = await authenticators.use(person, code);
      if (method === undefined) return { kind: 'wrong', person };
      await succeeded();
      return { kind: 'in', person, methods: ['password', method] };
    },

    faultOf: (person: Person, password: string): string | undefined => faultOf(password, person),

    /** The reason why the password is not taken; undefined when it is the person's now. */
    async setPassword(person: Person, password: string): Promise<string | undefined> {
      const fault = faultOf(password, person);
      if (fault !== undefined) return fault;
      await people.setPassword(person, await passwords.hash(password), now());
      return undefined;
    },
  };
};

export type Local = ReturnType<typeof createLocal>;
