import type { createClient } from '@peta/api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { becomeOwner, cleanUp, type RunningPeta, startPeta, until } from '../harness/peta.ts';

const PASSWORD = 'orbit lantern 42 pebble';
let peta: RunningPeta;
let api: ReturnType<typeof createClient>;
let token: string;

beforeAll(async () => {
  peta = await startPeta();
  ({ api, token } = await becomeOwner(peta));
});
afterAll(cleanUp);

/** A browser without the browser: a jar of cookies, and an Origin. */
const createVisitor = () => {
  const jar = new Map<string, string>();
  const send = async (
    path: string,
    { headers = {}, ...init }: Omit<RequestInit, 'headers'> & { headers?: Record<string, string> } = {},
  ) => {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(peta.url + path, {
      redirect: 'manual',
      ...init,
      headers: { ...(cookie && { cookie }), ...headers },
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '') jar.delete(name);
      else jar.set(name, value);
    }
    return {
      status: response.status,
      to: response.headers.get('location'),
      headers: response.headers,
      text: await response.text(),
    };
  };
  const form = (path: string, fields: Record<string, string>, headers: Record<string, string> = { origin: peta.url }) =>
    send(path, { method: 'POST', headers, body: new URLSearchParams(fields) });
  return {
    jar,
    send,
    form,
    enter: (name: string, password = PASSWORD, more: Record<string, string> = {}) =>
      form('/sign-in', { name, password, ...more }),
    json: (method: string, path: string, headers: Record<string, string> = {}, body = '{}') =>
      send(path, {
        method,
        headers: { 'content-type': 'application/json', ...headers },
        ...(method !== 'GET' && { body }),
      }),
  };
};

/** Somebody who has chosen a password with an invitation, and is signed in. */
const person = async (userId: string) => {
  await api.users.create({ userId, name: `Person ${userId.slice(0, 3)}` });
  const { link } = await api.users.invite({ userId });
  const visitor = createVisitor();
  const { to } = await visitor.form('/sign-in/welcome', {
    link: link.split('#')[1] ?? '',
    password: PASSWORD,
    again: PASSWORD,
  });
  expect(to).toBe('/account?done=welcome');
  return visitor;
};

// First of all, because floods of refusals are counted rather than written down.
test('the log tells who signed in, who failed and who left, and no secret', async () => {
  const visitor = await person('hana');
  await visitor.enter('hana', 'wrong but private words');
  await visitor.enter('hana');
  await visitor.form('/sign-out', {});
  const { records } = await api.audit.list({ limit: 200 });
  const ofSignIn = records.filter(({ kind, userId }) => kind === 'auth' && userId === 'hana');
  const told = ofSignIn.map(({ operation, outcome }) => `${operation} ${outcome}`);
  expect(told.sort()).toEqual([
    'password.change done',
    'sign-in done',
    'sign-in done',
    'sign-in refused',
    'sign-out done',
  ]);
  const text = JSON.stringify(records);
  for (const secret of [PASSWORD, 'private words', 'petawelcome_', 'petasignin_']) expect(text).not.toContain(secret);
});

describe('the API by a sign-in', () => {
  test('answers its person, and changes things for our own pages alone', async () => {
    const visitor = await person('ada');
    const me = await visitor.json('GET', '/api/v1/me');
    expect(JSON.parse(me.text)).toMatchObject({ user: { userId: 'ada' }, tokenId: expect.stringMatching(/^signin_/) });
    expect((await visitor.json('GET', '/api/v1/users')).status).toBe(403);
    const issue = (headers: Record<string, string>) =>
      visitor.json('POST', '/api/v1/tokens', headers, '{"name":"mine"}');
    expect((await issue({ origin: peta.url })).status).toBe(200);
    const refused: Record<string, string>[] = [
      {},
      { origin: 'http://localhost:1' },
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: peta.url, 'content-type': 'text/plain' },
      { origin: peta.url, 'sec-fetch-site': 'cross-site' },
    ];
    for (const headers of refused) expect([400, 401, 403, 415]).toContain((await issue(headers)).status);
    expect((await api.tokens.list({ userId: 'ada' })).tokens).toHaveLength(1);
  });

  test('never speaks beside a token, and an invalid one is not made good by it', async () => {
    const visitor = await person('bea');
    const as = async (authorization: string) => visitor.json('GET', '/api/v1/me', { authorization });
    expect(JSON.parse((await as(`Bearer ${token}`)).text).user.userId).toBe('owner');
    for (const wrong of ['Bearer peta_wrong', 'Basic YTpi', 'Bearer', 'nonsense'])
      expect((await as(wrong)).status).toBe(401);
  });

  test('ends within a second when it is signed out, and its person is disabled', async () => {
    const [first, second] = [await person('cleo'), createVisitor()];
    await second.enter('cleo');
    const works = async (visitor: typeof first) => (await visitor.json('GET', '/api/v1/me')).status === 200;
    const { signIns } = await api.signIns.list({ userId: 'cleo' });
    expect(signIns.map(({ methods }) => methods).sort()).toEqual([['invite'], ['password']]);
    const newest = signIns.find(({ methods }) => methods.includes('password'));
    await api.signIns.revoke({ signInId: newest?.signInId ?? '' });
    expect([await works(first), await works(second)]).toEqual([true, false]);
    await api.users.disable({ userId: 'cleo' });
    expect(await works(first)).toBe(false);
    expect((await createVisitor().enter('cleo')).status).toBe(401);
    await until(
      'the end of the sign-ins',
      async () => (await api.signIns.list({ userId: 'cleo' })).signIns.length === 0,
    );
    await api.users.update({ userId: 'cleo', status: 1 });
    expect(await works(first)).toBe(false);
    await first.enter('cleo');
    await api.users.signOut({ userId: 'cleo' });
    expect(await works(first)).toBe(false);
  });

  test('is not taken at /mcp, /sse, /admin and other doors of programs', async () => {
    const visitor = await person('dora');
    const secret = visitor.jar.get('peta_session') ?? '';
    const initialize = JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } },
    });
    const accept = { accept: 'application/json, text/event-stream', origin: peta.url };
    expect((await visitor.json('POST', '/mcp', accept, initialize)).status).toBe(401);
    expect((await visitor.send('/sse', { headers: accept })).status).toBe(401);
    expect((await visitor.json('POST', '/admin', { origin: peta.url }, '{"action":1011,"data":{}}')).status).toBe(401);
    for (const bearer of [secret, `signin_${(await api.signIns.list({ userId: 'dora' })).signIns[0]?.signInId}`])
      expect(
        (await visitor.json('POST', '/mcp', { ...accept, authorization: `Bearer ${bearer}` }, initialize)).status,
      ).toBe(401);
  });
});

describe('the door', () => {
  test('always gives a new cookie, of which the last one ends', async () => {
    const visitor = createVisitor();
    visitor.jar.set('peta_session', 'planted');
    await person('eva');
    await visitor.enter('eva');
    const first = visitor.jar.get('peta_session');
    await visitor.enter('eva');
    expect(visitor.jar.get('peta_session')).not.toBe(first);
    const thief = createVisitor();
    thief.jar.set('peta_session', first ?? '');
    expect((await thief.send('/account')).to).toBe('/sign-in?next=/account');
  });

  test.each([
    '//evil.example',
    '/\\evil.example',
    '\\/evil.example',
    'https:evil.example',
    'https://evil.example',
    '%2f%2fevil.example',
    '/.//evil.example',
    '/%09/evil.example',
    'javascript:alert(1)',
  ])('leads nowhere else: %s', async (next) => {
    const { to } = await createVisitor().enter('eva', PASSWORD, { next });
    const target = new URL(to ?? '', peta.url);
    expect(target.origin).toBe(peta.url);
    expect(target.pathname).not.toMatch(/^\/[/\\]/);
  });

  test('is shut to forms of other sites, and to what has no page at all', async () => {
    for (const headers of [
      {},
      { origin: 'https://evil.example' },
      { origin: 'http://localhost:1' },
      { origin: 'null' },
    ]) {
      const visitor = createVisitor();
      expect((await visitor.form('/sign-in', { name: 'eva', password: PASSWORD }, headers)).status).toBe(403);
      expect(visitor.jar.has('peta_session')).toBe(false);
    }
  });

  test('is in nobody’s frame', async () => {
    for (const path of ['/sign-in', '/sign-in/welcome', '/setup']) {
      const { headers } = await createVisitor().send(path);
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    }
  });

  test('does not tell who has an account, by words or by time', async () => {
    const time = async (name: string) => {
      const began = performance.now();
      const { status, text } = await createVisitor().enter(name, 'not the password');
      return { ms: performance.now() - began, status, text: text.replace(/value="[^"]*"/g, '') };
    };
    await person('fay');
    await time('fay');
    const [fay, nobody] = [await time('fay'), await time('no-such')];
    expect([nobody.status, nobody.text]).toEqual([fay.status, fay.text]);
    expect(nobody.ms).toBeGreaterThan(fay.ms / 4);
    expect(nobody.ms).toBeLessThan(fay.ms * 4);
  });

  test('slows down guessing, and lets in whoever is known there', async () => {
    const known = await person('gwen');
    const stranger = createVisitor();
    const waitToldAt = async (count: number): Promise<number> => {
      const { status, headers } = await stranger.enter('gwen', `guess number ${count}`);
      return status === 429 ? Number(headers.get('retry-after')) : 0;
    };
    let guesses = 0;
    await until('a wait of some seconds', async () => {
      guesses += 1;
      return (await waitToldAt(guesses)) >= 3;
    });
    expect((await stranger.enter('gwen')).status).toBe(429);
    known.jar.delete('peta_session');
    expect((await known.enter('gwen')).to).toBe('/account');
  });
});
