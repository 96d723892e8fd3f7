import { TOTP } from 'otpauth';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestSignIn, MINUTE, type TestSignIn, type Visitor } from './test-sign-in.ts';

let peta: TestSignIn;
beforeAll(async () => {
  peta = await createTestSignIn();
});
afterAll(() => peta.close());
beforeEach(() => peta.reset());

describe('one’s own account', () => {
  test('changes how one signs in only within ten minutes of having done so', async () => {
    const visitor = await peta.signedIn();
    peta.seen.clock += 11 * MINUTE;
    const form = { password: 'another lantern 43', again: 'another lantern 43' };
    for (const url of ['/account/password', '/account/authenticator', '/account/passkeys/remove'])
      expect((await visitor.act(url, form)).to).toBe('/sign-in?again=1&next=/account');
    expect((await visitor.json('/account/passkeys/options')).text).toContain('PROVE_AGAIN');
    expect((await visitor.get('/sign-in?again=1&next=/account')).text).toContain('Confirm that it is you');
    await visitor.enter();
    expect((await visitor.act('/account/password', form)).to).toBe('/account?done=password');
  });

  test('a new password ends every other sign-in, and the old password', async () => {
    const [here, there] = [await peta.signedIn(), await peta.signedIn()];
    const change = (password: string, again = password) => here.act('/account/password', { password, again });
    expect((await change('another lantern 43', 'something else 44')).text).toContain('The two passwords differ');
    expect((await change('password1234')).text).toContain('tried first');
    expect((await change('another lantern 43')).to).toBe('/account?done=password');
    expect([await here.isIn(), await there.isIn()]).toEqual([true, false]);
    expect(peta.seen.published.map(({ topic }) => topic)).toEqual(['token']);
    expect((await peta.createVisitor().enter()).status).toBe(401);
    expect((await peta.createVisitor().enter({ password: 'another lantern 43' })).status).toBe(303);
    expect(peta.operations()).toContain('password.change done ada');
  });

  test('lists where one is signed in, and ends them one by one or all', async () => {
    const [here, there] = [await peta.signedIn(), await peta.signedIn('198.51.100.9')];
    const { text } = await here.get('/account');
    expect(text).toContain('198.51.100.9');
    const [record] = (await peta.signIn.signIns.list('default', 'ada')).filter(
      ({ address }) => address === '198.51.100.9',
    );
    await here.act('/account/sign-ins/end', { id: record?.signInId });
    expect([await here.isIn(), await there.isIn()]).toEqual([true, false]);
    const third = await peta.signedIn();
    expect((await here.act('/account/sign-ins/end-all')).text).toContain('signed out everywhere');
    expect([await here.isIn(), await third.isIn()]).toEqual([false, false]);
    expect(peta.seen.published.every(({ topic, id }) => topic === 'token' && id.startsWith('signin_'))).toBe(true);
  });

  test('ends no sign-in of anybody else', async () => {
    const visitor = await peta.signedIn();
    const { signedIn: his } = await peta.signIn.signIns.begin({
      workspaceId: 'default',
      userId: 'bob',
      methods: [],
      address: '',
      userAgent: '',
    });
    await visitor.act('/account/sign-ins/end', { id: his.signInId });
    expect(await peta.signIn.signIns.find(his.signInId)).toBeDefined();
  });

  test('signing out clears the cookie and ends the sign-in', async () => {
    const visitor = await peta.signedIn();
    const secret = visitor.session() ?? '';
    expect((await visitor.post('/sign-out')).to).toBe('/sign-in');
    expect(visitor.session()).toBeUndefined();
    visitor.jar.set('peta_session', secret);
    expect(await visitor.isIn()).toBe(false);
    expect(peta.operations()).toContain('sign-out done ada');
  });

  test('somebody who is disabled is signed out, and stays so when enabled again', async () => {
    const visitor = await peta.signedIn();
    await peta.query(`update "user" set status = 0 where id = 'ada'`);
    for (const listener of peta.seen.listeners) listener({ topic: 'user', workspaceId: 'default', id: 'ada' });
    await expect.poll(() => peta.seen.published.length).toBe(1);
    expect((await peta.createVisitor().enter()).status).toBe(401);
    await peta.query(`update "user" set status = 1 where id = 'ada'`);
    expect(await visitor.isIn()).toBe(false);
  });
});

describe('an authenticator app', () => {
  const setUp = async (visitor: Visitor) => {
    await visitor.act('/account/authenticator');
    const { text } = await visitor.get('/account/authenticator');
    const secret = (/<pre>([A-Z2-7 ]+)<\/pre>/.exec(text)?.[1] ?? '').replaceAll(' ', '');
    const token = await visitor.token();
    const wrong = await visitor.post('/account/authenticator/confirm', { token, code: '000000' });
    expect(wrong.status).toBe(400);
    const shown = await visitor.post('/account/authenticator/confirm', { token, code: codeOf(secret) });
    const recovery = (/<pre>([\s\S]+?)<\/pre>/.exec(shown.text)?.[1] ?? '').split('\n');
    peta.seen.clock += MINUTE;
    return { secret, recovery };
  };
  const codeOf = (secret: string) => new TOTP({ secret }).generate({ timestamp: peta.seen.clock });

  test('is asked for after the password, and its codes are good once', async () => {
    const { secret } = await setUp(await peta.signedIn());
    const visitor = peta.createVisitor();
    expect((await visitor.enter({ next: '/account?y' })).to).toBe('/sign-in/code');
    expect(visitor.session()).toBeUndefined();
    expect(await visitor.isIn()).toBe(false);
    const code = codeOf(secret);
    expect((await visitor.post('/sign-in/code', { code: '123' })).status).toBe(401);
    expect((await visitor.post('/sign-in/code', { code })).to).toBe('/account?y');
    const replayer = peta.createVisitor();
    await replayer.enter();
    expect((await replayer.post('/sign-in/code', { code })).status).toBe(401);
    expect(peta.seen.notes.at(-2)).toMatchObject({ operation: 'sign-in', details: { methods: ['password', 'totp'] } });
    expect(JSON.stringify(peta.seen.notes)).not.toContain(code);
  });

  test('cannot be guessed at, and the half that was done ends after ten minutes', async () => {
    const { secret } = await setUp(await peta.signedIn());
    const visitor = peta.createVisitor();
    await visitor.enter();
    for (let i = 0; i < 5; i += 1) await visitor.post('/sign-in/code', { code: `00000${i}` });
    expect((await visitor.post('/sign-in/code', { code: codeOf(secret) })).status).toBe(429);
    peta.seen.clock += 11 * MINUTE;
    expect((await visitor.post('/sign-in/code', { code: codeOf(secret) })).to).toBe('/sign-in');
    const [name = '', value = ''] = [...visitor.jar].find(([one]) => one === 'peta_half') ?? [];
    const forger = peta.createVisitor();
    forger.jar.set(name, `${value.slice(0, -4)}AAAA`);
    expect((await forger.get('/sign-in/code')).to).toBe('/sign-in');
  });

  test('that is lost is replaced by a recovery code, once', async () => {
    const { recovery } = await setUp(await peta.signedIn());
    const use = async () => {
      const visitor = peta.createVisitor();
      await visitor.enter();
      return visitor.post('/sign-in/code', { code: recovery[0] });
    };
    expect(recovery).toHaveLength(10);
    expect((await use()).to).toBe('/account');
    expect((await use()).status).toBe(401);
  });

  test('is not needed any more once it was removed', async () => {
    const visitor = await peta.signedIn();
    await setUp(visitor);
    expect((await visitor.act('/account/authenticator/remove')).to).toBe('/account?done=authenticator-removed');
    expect((await peta.createVisitor().enter()).to).toBe('/account');
  });
});

describe('a sign-up link', () => {
  const invite = async () => {
    return (await peta.signIn.invites.create(await peta.ada())).link;
  };
  const use = (link: string, password = 'another lantern 43', again = password) =>
    peta.createVisitor().post('/sign-in/welcome', { link, password, again });

  test('sets a password, once, signs in, and ends every other sign-in', async () => {
    const before = await peta.signedIn();
    const link = await invite();
    expect((await use(link, 'short')).status).toBe(400);
    expect((await use(link, 'another lantern 43', 'something else')).status).toBe(400);
    const visitor = peta.createVisitor();
    const form = { link, password: 'another lantern 43', again: 'another lantern 43' };
    expect((await visitor.post('/sign-in/welcome', form)).to).toBe('/account?done=welcome');
    expect([await visitor.isIn(), await before.isIn()]).toEqual([true, false]);
    expect((await use(link)).status).toBe(403);
    expect(JSON.stringify(peta.seen.notes)).not.toContain('petawelcome_');
    expect((await peta.createVisitor().enter({ password: 'another lantern 43' })).status).toBe(303);
  });

  test('works once for many who try at the same time', async () => {
    const link = await invite();
    const all = await Promise.all(Array.from({ length: 5 }, () => use(link)));
    expect(all.map(({ status }) => status).sort()).toEqual([303, 403, 403, 403, 403]);
  });

  test('ends with a newer one, after a day, with its person, and is nobody else’s', async () => {
    const [first, second] = [await invite(), await invite()];
    expect((await use(first)).status).toBe(403);
    expect((await use(second.replace('default/ada/', 'default/bob/'))).status).toBe(403);
    expect((await use(`default/ada/petawelcome_${'x'.repeat(43)}`)).status).toBe(403);
    peta.seen.clock += 25 * 60 * MINUTE;
    expect((await use(second)).status).toBe(403);
    const third = await invite();
    await peta.query(`delete from "user" where id = 'ada';
      insert into "user" (workspace_id, id, name, role) values ('default', 'ada', 'Another Ada', 3)`);
    expect((await use(third)).status).toBe(403);
    expect((await use('nonsense')).status).toBe(403);
  });

  test('lets somebody in whom the throttle keeps out', async () => {
    for (let i = 0; i < 6; i += 1) await peta.createVisitor().enter({ password: 'wrong' });
    expect((await peta.createVisitor().enter()).status).toBe(429);
    expect((await use(await invite())).status).toBe(303);
  });
});
