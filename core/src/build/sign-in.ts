import { createHmac } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { Change } from '../cluster/bus.ts';
import type { Database } from '../db/db.ts';
import { isDatabaseUnavailable } from '../db/unavailable.ts';
import { type Log, sentenceOf } from '../lib/log.ts';
import { Unavailable } from '../lib/unavailable.ts';
import { createAuthenticators } from '../sign-in/authenticators.ts';
import { createInvites } from '../sign-in/invites.ts';
import { registerAccount } from '../sign-in/io/account-routes.ts';
import { createHasher } from '../sign-in/io/argon.ts';
import { createBrowser, type Notes } from '../sign-in/io/browser.ts';
import { readForms, sendAway } from '../sign-in/io/form.ts';
import type { PageParts, Programs } from '../sign-in/io/parts.ts';
import { registerPasskeySignIn } from '../sign-in/io/passkey-routes.ts';
import { postgresAuthenticators, type Sealer } from '../sign-in/io/postgres-authenticators.ts';
import { postgresFailures } from '../sign-in/io/postgres-failures.ts';
import { postgresPasskeys } from '../sign-in/io/postgres-passkeys.ts';
import { postgresPeople } from '../sign-in/io/postgres-people.ts';
import { postgresSignIns, tokenIdOf } from '../sign-in/io/postgres-sign-ins.ts';
import { postgresSteps } from '../sign-in/io/postgres-steps.ts';
import type { Provider } from '../sign-in/io/sign-in-page.ts';
import { registerSignIn } from '../sign-in/io/sign-in-routes.ts';
import { createCookies } from '../sign-in/io/site.ts';
import { totp } from '../sign-in/io/totp.ts';
import { createPasskeys } from '../sign-in/io/webauthn.ts';
import { registerWelcome } from '../sign-in/io/welcome-routes.ts';
import { createKnownBrowsers } from '../sign-in/known-browser.ts';
import { createLocal } from '../sign-in/local.ts';
import { createSignIns } from '../sign-in/sign-ins.ts';
import { createCarried, createChallenges } from '../sign-in/steps.ts';
import { createThrottle, WINDOW_MS } from '../sign-in/throttle.ts';

export type SignInOptions = {
  db: Database;
  log: Log;
  /** Secret, the same on every replica: marks and seals what browsers hold for us. */
  key: Buffer;
  sealer: Sealer;
  publish(change: Change): Promise<void>;
  /** Calls back with each change that any replica has told of. */
  follow(listener: (change: Change | 'missed') => void): () => void;
  note: Notes;
  baseUrl(): string;
  /** Where else people of a workspace may sign in: links to `/sign-in/sso/<workspace>/<id>`. */
  providers?(workspaceId: string): Promise<readonly Provider[]>;
  /** Programs that people allowed to act for them. */
  programs?: Programs;
  now?(): Date;
};

const SWEEP_MS = 60 * 60_000;
const NO_PROGRAMS: Programs = { list: async () => [], end: async () => {} };

/** Everything that signs people in with a browser: what other parts need of it, and its pages. */
export const buildSignIn = (options: SignInOptions) => {
  const { db, log, key, sealer, publish, follow, note, baseUrl } = options;
  const { providers = async () => [], programs = NO_PROGRAMS, now = () => new Date() } = options;
  const people = postgresPeople(db);
  const failures = postgresFailures(db);
  const steps = postgresSteps(db);
  const signIns = createSignIns({
    store: postgresSignIns(db),
    now,
    ended: (workspaceId, signInId) => publish({ topic: 'token', workspaceId, id: tokenIdOf(signInId) }),
  });
  const authenticators = createAuthenticators({ store: postgresAuthenticators(db, sealer), totp, now });
  const throttle = createThrottle(failures, now);
  const hasher = createHasher();
  const local = createLocal({ people, passwords: hasher, authenticators, throttle, now });
  const challenges = createChallenges(key, steps, now);
  const passkeys = createPasskeys({ store: postgresPasskeys(db), challenges, key, now });
  const carried = createCarried(key, now);
  const invites = createInvites({ people, steps, carried, now });
  const cookies = createCookies(baseUrl);
  const browser = createBrowser({ signIns, cookies, known: createKnownBrowsers(key), note, throttle });

  const pages: PageParts = {
    people,
    local,
    passkeys,
    authenticators,
    invites,
    signIns,
    carried,
    browser,
    cookies,
    note,
    formToken: (signInId) =>
      createHmac('sha256', key)
        .update(JSON.stringify(['form', signInId]))
        .digest('base64url'),
    providers,
    programs,
    now,
  };

  const sweep = async (): Promise<void> => {
    try {
      await signIns.sweep();
      await failures.sweep(new Date(now().getTime() - WINDOW_MS));
      await steps.sweep(now());
    } catch (error) {
      log.debug('What is over of signing in was not cleared away', { reason: sentenceOf(error) });
    }
  };
  const timer = setInterval(() => void sweep(), SWEEP_MS);
  timer.unref();

  /** Whoever was disabled is signed out, and stays so when they are enabled again. */
  const personChanged = async (workspaceId: string, userId: string): Promise<void> => {
    const person = await people.find(workspaceId, userId, now());
    if (person?.userId === userId && !person.isWelcome) await signIns.end({ workspaceId, userId });
  };
  const unfollow = follow((change) => {
    if (change === 'missed' || change.topic !== 'user') return;
    personChanged(change.workspaceId, change.id).catch((error: unknown) =>
      log.warn('The sign-ins of somebody who changed were not looked at', { reason: sentenceOf(error) }),
    );
  });

  return {
    /** The ports of other parts: who is signed in, and signing somebody in who has proved who they are. */
    current: browser.current,
    begin: browser.begin,
    /** As `current`, for requests to the API: only what our own pages send. */
    forApi: browser.forApi,
    signIns,
    invites,
    people,
    hasher,
    local,

    register: (app: FastifyInstance): void =>
      void app.register(async (pagesApp) => {
        readForms(pagesApp);
        pagesApp.setErrorHandler(async (error, request, reply) => {
          if (!(error instanceof Unavailable) && !isDatabaseUnavailable(error)) throw error;
          return sendAway(request, reply);
        });
        registerSignIn(pagesApp, pages);
        registerPasskeySignIn(pagesApp, pages);
        registerAccount(pagesApp, pages);
        registerWelcome(pagesApp, pages);
      }),

    close(): void {
      clearInterval(timer);
      unfollow();
    },
  };
};

export type SignIn = ReturnType<typeof buildSignIn>;
