import { createHmac } from 'node:crypto';
import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server';
import { z } from 'zod';
import type { Passkey, PasskeyStore } from '../passkeys.ts';
import type { Person, PersonKey } from '../people.ts';
import type { Challenges } from '../steps.ts';

const Base64Url = z
  .string()
  .min(1)
  .max(20_000)
  .regex(/^[\w-]+$/);
const credential = {
  id: Base64Url,
  rawId: Base64Url,
  type: z.literal('public-key'),
  clientExtensionResults: z.record(z.string(), z.unknown()),
};
const Registration = z.object({
  ...credential,
  response: z.object({
    clientDataJSON: Base64Url,
    attestationObject: Base64Url,
    transports: z.array(z.string().max(40)).max(10).default([]),
  }),
});
const Assertion = z.object({
  ...credential,
  response: z.object({
    clientDataJSON: Base64Url,
    authenticatorData: Base64Url,
    signature: Base64Url,
    /** Discoverable passkeys always tell it. */
    userHandle: Base64Url,
  }),
});

/** EdDSA, ES256 and RS256: what devices have. Named, because the package's own list tries what Node.js only tries out. */
const ALGORITHMS = [-8, -7, -257];

type Options = { store: PasskeyStore; challenges: Challenges; key: Buffer; now(): Date };

const SIGN_IN = 'sign-in';
const addingTo = ({ workspaceId, userId }: PersonKey) => `add ${workspaceId} ${userId}`;

/** Passkeys (WebAuthn level 3): discoverable, with the person verified by their device, for this very host alone. */
export const createPasskeys = ({ store, challenges, key, now }: Options) => {
  /** The same for a person each time, so that a device keeps one passkey for them; it tells nothing of who they are. */
  const handleOf = ({ workspaceId, userId }: PersonKey) =>
    new Uint8Array(
      createHmac('sha256', key)
        .update(JSON.stringify(['handle', workspaceId, userId]))
        .digest(),
    );

  /** Whatever does not verify is no more than that: an unreadable answer and a wrong one are refused alike. */
  const verified = async <T extends { verified: boolean }>(verify: () => Promise<T>): Promise<T | undefined> => {
    try {
      const result = await verify();
      return result.verified ? result : undefined;
    } catch {
      return undefined;
    }
  };

  const ours = (purpose: string) => {
    let seen = '';
    return {
      check(challenge: string): boolean {
        seen = challenge;
        return challenges.isOurs(purpose, challenge);
      },
      /** True once for each challenge. */
      use: () => challenges.use(seen),
    };
  };

  return {
    list: store.list,
    rename: store.rename,
    remove: store.remove,

    async optionsToAdd(person: Person, origin: string) {
      const held = await store.list(person);
      return generateRegistrationOptions({
        rpName: 'Peta',
        rpID: new URL(origin).hostname,
        userName: person.userId,
        userDisplayName: person.name,
        userID: handleOf(person),
        challenge: new Uint8Array(Buffer.from(challenges.create(addingTo(person)), 'base64url')),
        excludeCredentials: held.map(({ id, transports }) => ({ id, transports })),
        supportedAlgorithmIDs: ALGORITHMS,
        authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
      });
    },

    /** The new passkey, which the person may use from now on; undefined when the device's answer is not good. */
    async add(person: PersonKey, origin: string, name: string, answer: unknown): Promise<Passkey | undefined> {
      const parsed = Registration.safeParse(answer);
      if (!parsed.success) return undefined;
      const challenge = ours(addingTo(person));
      const result = await verified(() =>
        verifyRegistrationResponse({
          response: parsed.data,
          expectedChallenge: challenge.check,
          expectedOrigin: origin,
          expectedRPID: new URL(origin).hostname,
          supportedAlgorithmIDs: ALGORITHMS,
          requireUserVerification: true,
        }),
      );
      if (!result?.registrationInfo || !(await challenge.use())) return undefined;
      const { credential: made, credentialBackedUp: isBackedUp } = result.registrationInfo;
      const { workspaceId, userId } = person;
      const passkey: Passkey = {
        id: made.id,
        workspaceId,
        userId,
        name,
        publicKey: Buffer.from(made.publicKey).toString('base64url'),
        counter: made.counter,
        transports: parsed.data.response.transports,
        isBackedUp,
        createdAt: now(),
        lastUsedAt: null,
      };
      return (await store.add(passkey)) ? passkey : undefined;
    },

    /** Names nobody: the device offers whoever it has a passkey for. */
    optionsToSignIn: (origin: string) =>
      generateAuthenticationOptions({
        rpID: new URL(origin).hostname,
        challenge: new Uint8Array(Buffer.from(challenges.create(SIGN_IN), 'base64url')),
        userVerification: 'required',
      }),

    /** Whose passkey answered; undefined when nobody's did, or not as it must. */
    async signIn(origin: string, answer: unknown): Promise<Passkey | undefined> {
      const parsed = Assertion.safeParse(answer);
      const passkey = parsed.success ? await store.find(parsed.data.id) : undefined;
      if (!parsed.success || !passkey) return undefined;
      const { userHandle } = parsed.data.response;
      if (userHandle !== Buffer.from(handleOf(passkey)).toString('base64url')) return undefined;
      const { id, counter, transports } = passkey;
      const challenge = ours(SIGN_IN);
      const result = await verified(() =>
        verifyAuthenticationResponse({
          response: parsed.data,
          expectedChallenge: challenge.check,
          expectedOrigin: origin,
          expectedRPID: new URL(origin).hostname,
          credential: {
            id,
            publicKey: new Uint8Array(Buffer.from(passkey.publicKey, 'base64url')),
            counter,
            transports,
          },
          requireUserVerification: true,
        }),
      );
      if (!result || !(await challenge.use())) return undefined;
      return (await store.used(id, result.authenticationInfo.newCounter, now())) ? passkey : undefined;
    },
  };
};

export type Passkeys = ReturnType<typeof createPasskeys>;
