import { createHash, randomBytes } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { readConfig } from '../config.ts';
import { schema } from '../db/db.ts';
import { createTestDatabase } from '../db/test-database.ts';
import { createApp } from '../http/io/app.ts';
import { silentLog } from '../lib/log.ts';
import { newToken } from '../lib/token.ts';
import { createClients } from '../oauth/io/postgres-clients.ts';
import type { AdminChange } from '../path/audit/audit.ts';
import { createSealer } from '../path/vault/seal.ts';
import { buildOAuth, buildOAuthIdentity } from './oauth.ts';

export type World = Awaited<ReturnType<typeof startWorld>>;
type Fetch = (url: string, init: RequestInit) => Promise<Response>;
type WorldOptions = { env?: Record<string, string>; fetch?: Fetch };

export const REDIRECT = 'http://127.0.0.1:4711/callback';
export const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');

/**
 * The authorization server on a real database and a real socket. Who is signed in with a browser says the header
 * `x-person`, in the place of the part that knows.
 */
export const startWorld = async ({ env = {}, fetch: fetcher = globalThis.fetch }: WorldOptions = {}) => {
  const database = await createTestDatabase();
  const { db } = database;
  await db
    .insert(schema.users)
    .values(['ann', 'bob', 'agent'].map((id) => ({ workspaceId: 'default', id, name: id, role: 3 })));
  const config = readConfig(env);
  const sealer = createSealer(randomBytes(32));
  const sessionKey = randomBytes(32);
  const revoked: string[] = [];
  const noted: AdminChange[] = [];
  let baseUrl = '';
  const build = async (base: () => string) => {
    const identity = buildOAuthIdentity({ config, db, sealer, baseUrl: base });
    const { app, routes } = await createApp({
      hosts: { allowedHosts: ['peta.test'], allowedOrigins: [] },
      tls: undefined,
      maxBodyBytes: 1_000_000,
      onFault: (error) => console.error(error),
    });
    const oauth = await buildOAuth(app, {
      ...{ config, db, sealer, log: silentLog, identity, sessionKey, fetch: fetcher },
      gateway: {
        publish: async ({ id }) => void revoked.push(id),
        audit: { changed: async (change: AdminChange) => void noted.push(change), refusedAtDoor: async () => {} },
      },
      signIns: {
        async current({ headers }: FastifyRequest) {
          const userId = headers['x-person'];
          if (typeof userId !== 'string') return undefined;
          return { signInId: `s-${userId}`, workspaceId: 'default', userId, at: new Date(), methods: ['password'] };
        },
      },
    });
    return { app, oauth, identity, routes };
  };
  const { app, oauth, identity, routes } = await build(() => baseUrl);
  baseUrl = await app.listen({ host: '127.0.0.1', port: 0 });
  const others: { close(): Promise<unknown> }[] = [];

  return {
    ...{ db, oauth, identity, routes, revoked, noted, base: baseUrl, mcp: `${baseUrl}/mcp` },
    ...{ keys: identity.keys, tokens: identity.accessTokens },
    clientAdapter: createClients({ db, sealer, address: () => null }).adapter,
    /** Lets so many seconds pass for what a client was given. */
    async age(model: string, clientId: string, seconds: number): Promise<void> {
      await db.$client.query(
        'update oauth_record set expires_at = expires_at - make_interval(secs => $3) where model = $1 and client_id = $2',
        [model, clientId, seconds],
      );
    },
    /** Another replica: the same database and secrets, reached by another port under the same public address. */
    async replica() {
      const other = await build(() => baseUrl);
      others.push(other.app);
      const url = await other.app.listen({ host: '127.0.0.1', port: 0 });
      return { url, identity: other.identity };
    },
    async serviceToken(userId: string, scope: object = {}): Promise<{ id: string; secret: string }> {
      const { secret, hash, mask } = newToken();
      const id = crypto.randomUUID();
      await db
        .insert(schema.tokens)
        .values({ ...{ id, workspaceId: 'default', userId, name: 't', hash, mask }, scope });
      return { id, secret };
    },
    async close() {
      oauth.close();
      for (const one of [app, ...others]) await one.close();
      await database.drop();
    },
  };
};

/** A browser: keeps cookies, follows nothing by itself. */
export const createBrowser = (base: string, person?: string) => {
  const jar = new Map<string, { value: string; path: string }>();
  const go = async (address: string, init: RequestInit = {}): Promise<Response> => {
    const url = new URL(address, base);
    const cookie = [...jar]
      .filter(([, { path }]) => url.pathname.startsWith(path))
      .map(([name, { value }]) => `${name.split(' ')[0]}=${value}`)
      .join('; ');
    const headers = new Headers(init.headers);
    if (cookie) headers.set('cookie', cookie);
    if (browser.person !== undefined) headers.set('x-person', browser.person);
    const response = await fetch(url, { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      const path = /; path=([^;]*)/i.exec(line)?.[1] ?? '/';
      if (value) jar.set(`${name} ${path}`, { value, path });
      else jar.delete(`${name} ${path}`);
    }
    return response;
  };
  const submit = (address: string, fields: Record<string, string>): Promise<Response> =>
    go(address, {
      method: 'POST',
      body: new URLSearchParams(fields),
      headers: { origin: new URL(base).origin },
    });
  const browser = { person, go, submit };
  return browser;
};

export type Browser = ReturnType<typeof createBrowser>;
const here = (response: Response, base: string): string | undefined => {
  const location = response.headers.get('location');
  return location !== null && new URL(location, base).origin === new URL(base).origin ? location : undefined;
};

/** Follows an authorization request to where the client takes over, answering the consent page if there is one. */
export const authorize = async (browser: Browser, base: string, address: string, decision = 'allow') => {
  let response = await browser.go(address);
  let pages = 0;
  for (let step = 0; step < 10; step += 1) {
    const next = here(response, base);
    if (next !== undefined) response = await browser.go(next);
    else if (response.status === 200) {
      const page = await response.text();
      const action = /action="([^"]+)"/.exec(page)?.[1] ?? '';
      const proof = /name="proof" value="([^"]+)"/.exec(page)?.[1];
      if (proof === undefined) return { location: undefined, page, pages, status: 200 };
      pages += 1;
      response = await browser.submit(action, { proof, decision });
    } else break;
  }
  const location = response.headers.get('location');
  return {
    location: location === null ? undefined : new URL(location),
    page: location === null ? await response.text() : '',
    ...{ pages, status: response.status },
  };
};
