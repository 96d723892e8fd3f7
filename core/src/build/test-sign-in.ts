import Fastify from 'fastify';
import { silentLog } from '#lib/log';
import type { Change } from '../cluster/bus.ts';
import { createTestDatabase } from '../db/test-database.ts';
import { createSealer } from '../path/vault/seal.ts';
import type { Note } from '../sign-in/io/browser.ts';
import { buildSignIn } from './sign-in.ts';

export const ORIGIN = 'http://localhost:3002';
export const PASSWORD = 'orbit lantern 42 pebble';
export const MINUTE = 60_000;

type AskOptions = { form?: object; json?: object; headers?: Record<string, string> };

/** Signing in on a real database and a real HTTP application, with a clock that is set, and Ada, who has a password. */
export const createTestSignIn = async () => {
  const database = await createTestDatabase();
  const app = Fastify();
  const seen = {
    notes: [] as Note[],
    published: [] as Change[],
    listeners: new Set<(change: Change) => void>(),
    clock: 0,
  };
  const now = () => new Date(seen.clock);
  const signIn = buildSignIn({
    db: database.db,
    log: silentLog,
    key: Buffer.alloc(32, 1),
    sealer: createSealer(Buffer.alloc(32, 2)),
    publish: async (change) => void seen.published.push(change),
    follow(listener) {
      seen.listeners.add(listener);
      return () => seen.listeners.delete(listener);
    },
    note: async (note) => void seen.notes.push(note),
    baseUrl: () => ORIGIN,
    providers: async (workspaceId) => (workspaceId === 'acme' ? [{ id: 'okta', name: 'Okta <SSO>' }] : []),
    now,
  });
  signIn.register(app);
  await app.ready();
  const query = (sql: string) => database.db.$client.query(sql);

  /** A browser: it keeps cookies, and says where its forms come from. */
  const createVisitor = (address = '192.0.2.1') => {
    const jar = new Map<string, string>();
    const ask = async (
      method: 'GET' | 'POST',
      url: string,
      { form, json, headers = { origin: ORIGIN } }: AskOptions = {},
    ) => {
      const answer = await app.inject({
        method,
        url,
        remoteAddress: address,
        headers: {
          host: 'localhost:3002',
          cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; '),
          ...(form && { 'content-type': 'application/x-www-form-urlencoded' }),
          ...(method === 'POST' && headers),
        },
        ...(form && { payload: new URLSearchParams({ ...form }).toString() }),
        ...(json && { payload: json }),
      });
      for (const { name, value } of answer.cookies) {
        if (value === '') jar.delete(name);
        else jar.set(name, value);
      }
      const to = String(answer.headers.location ?? '');
      return { status: answer.statusCode, to, text: answer.body, headers: answer.headers };
    };
    const token = async () => /name="token" value="([^"]+)"/.exec((await ask('GET', '/account')).text)?.[1] ?? '';
    return {
      jar,
      get: (url: string) => ask('GET', url),
      post: (url: string, form: object = {}, headers?: Record<string, string>) =>
        ask('POST', url, { form, ...(headers && { headers }) }),
      json: (url: string, json: object = {}, headers?: Record<string, string>) =>
        ask('POST', url, { json, ...(headers && { headers }) }),
      session: () => jar.get('peta_session'),
      token,
      /** A form of the account page. */
      act: async (url: string, form: object = {}) => ask('POST', url, { form: { token: await token(), ...form } }),
      enter: (more: object = {}, headers?: Record<string, string>) =>
        ask('POST', '/sign-in', { form: { name: 'ada', password: PASSWORD, ...more }, ...(headers && { headers }) }),
      isIn: async () => (await ask('GET', '/account')).status === 200,
    };
  };

  return {
    signIn,
    seen,
    query,
    createVisitor,
    async signedIn(address?: string) {
      const visitor = createVisitor(address);
      await visitor.enter();
      return visitor;
    },
    ada: async () => {
      const person = await signIn.people.find('default', 'ada', now());
      if (!person) throw new Error('There is no ada.');
      return person;
    },
    operations: () => seen.notes.map(({ operation, outcome, userId }) => `${operation} ${outcome} ${userId}`),
    async reset() {
      seen.clock = Date.parse('2026-01-01T00:00:00Z');
      seen.notes.length = 0;
      seen.published.length = 0;
      await query(`delete from sign_in_failure; delete from sign_in_step; delete from "user";
        insert into "user" (workspace_id, id, name, role, email)
        values ('default', 'ada', 'Ada', 3, 'ada@example.com'), ('default', 'bob', 'Bob', 3, null)`);
      await signIn.local.setPassword(await this.ada(), PASSWORD);
    },
    async close() {
      signIn.close();
      await app.close();
      await database.drop();
    },
  };
};

export type TestSignIn = Awaited<ReturnType<typeof createTestSignIn>>;
export type Visitor = ReturnType<TestSignIn['createVisitor']>;
