import type { Person, PersonKey } from './people.ts';
import { hashOfRecoveryCode, newRecoveryCodes } from './recovery.ts';

export type Authenticator = { secret: string; isConfirmed: boolean; recoveryLeft: number };

export type AuthenticatorStore = {
  find(person: PersonKey): Promise<Authenticator | undefined>;
  /** A new secret that is not in use yet; false when one is in use. */
  begin(person: PersonKey, secret: string, now: Date): Promise<boolean>;
  /** Puts the secret in use with its first code. */
  confirm(person: PersonKey, step: number, recoveryHashes: string[], now: Date): Promise<boolean>;
  /** Uses up a time step; false when it, or a later one, has been used. */
  useStep(person: PersonKey, step: number): Promise<boolean>;
  /** Uses up a recovery code. */
  useRecovery(person: PersonKey, hash: string): Promise<boolean>;
  setRecovery(person: PersonKey, hashes: string[]): Promise<void>;
  remove(person: PersonKey): Promise<boolean>;
};

/** The time-based codes themselves (RFC 6238). */
export type Totp = {
  newSecret(): string;
  /** What an app scans: an `otpauth:` URI and the same as a picture. */
  uriOf(secret: string, person: Pick<Person, 'userId'>, host: string): string;
  pictureOf(uri: string): string;
  /** The time step whose code this is, within one step of now. */
  stepOf(secret: string, code: string, now: Date): number | undefined;
};

type Options = { store: AuthenticatorStore; totp: Totp; now(): Date };

/** Authenticator apps and the recovery codes that go with them. */
export const createAuthenticators = ({ store, totp, now }: Options) => ({
  find: store.find,

  /** Begins to set one up; what was begun before is dropped, what is in use stays. */
  begin: (person: PersonKey): Promise<boolean> => store.begin(person, totp.newSecret(), now()),

  /** What an app scans of a secret that is being set up; undefined when none is. */
  async pending(person: PersonKey, host: string) {
    const found = await store.find(person);
    if (!found || found.isConfirmed) return undefined;
    const uri = totp.uriOf(found.secret, person, host);
    return { secret: found.secret, uri, picture: totp.pictureOf(uri) };
  },

  /** The recovery codes, shown this once; undefined when the code is not the app's. */
  async confirm(person: PersonKey, code: string): Promise<string[] | undefined> {
    const found = await store.find(person);
    if (!found || found.isConfirmed) return undefined;
    const step = totp.stepOf(found.secret, code, now());
    if (step === undefined) return undefined;
    const codes = newRecoveryCodes();
    return (await store.confirm(person, step, codes.map(hashOfRecoveryCode), now())) ? codes : undefined;
  },

  async renewRecovery(person: PersonKey): Promise<string[]> {
    const codes = newRecoveryCodes();
    await store.setRecovery(person, codes.map(hashOfRecoveryCode));
    return codes;
  },

  remove: store.remove,

  /** Which kind of code it was, and now is used up; undefined for no good one. */
  async use(person: PersonKey, code: string): Promise<'totp' | 'recovery' | undefined> {
    const found = await store.find(person);
    if (!found?.isConfirmed) return undefined;
    const digits = code.replace(/\s/g, '');
    if (!/^\d{6}$/.test(digits))
      return (await store.useRecovery(person, hashOfRecoveryCode(code))) ? 'recovery' : undefined;
    const step = totp.stepOf(found.secret, digits, now());
    return step !== undefined && (await store.useStep(person, step)) ? 'totp' : undefined;
  },
});

export type Authenticators = ReturnType<typeof createAuthenticators>;
