import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type OidcIdp, startOidcIdp } from '../../../e2e/harness/oidc-idp.ts';
import { createTestSso, type TestSso } from '../build/test-sso.ts';

let sso: TestSso;
let idp: OidcIdp;

beforeAll(async () => {
  sso = await createTestSso();
  idp = await startOidcIdp();
});
afterAll(async () => {
  await idp.close();
  await sso.close();
});
beforeEach(async () => {
  await sso.clear();
  for (const id of ['backend', 'oncall', 'chess'])
    await sso.query(`insert into team (workspace_id, id, name) values ('default', $1, $1)`, [id]);
  await sso.query(
    `insert into role (workspace_id, id, name, operations) values ('default', 'support', 'Support', '[]')`,
  );
});

const ADA = { sub: 'ada-1', email: 'ada@example.com', email_verified: true, name: 'Ada' };
const signIn = async (claims: object = {}) => {
  idp.signIn({ ...ADA, ...claims });
  return sso.signIn();
};
const operations = () => sso.seen.audit.map(({ operation, outcome }) => `${operation} ${outcome}`);
const refusal = () => sso.seen.audit.at(-1)?.error;

const GROUPS = [
  { group: 'admins', role: 2 as const },
  { group: 'eng', role: 'support', teams: ['backend', 'oncall'] },
  { group: 'watchers', role: 'auditor' },
  { group: 'sleepless', teams: ['oncall'] },
];

describe('role and teams', () => {
  test('come from the groups, the first that has a role giving it', async () => {
    await sso.addOidc(idp, { groups: GROUPS, defaultRole: null });
    for (const [number, groups, expected] of [
      [1, ['eng'], { role: 3, role_id: 'support', teams: ['backend', 'oncall'] }],
      [2, ['eng', 'admins'], { role: 2, role_id: null, teams: ['backend', 'oncall'] }],
      [3, ['watchers', 'unknown'], { role: 3, role_id: 'auditor', teams: [] }],
      [4, ['sleepless'], { role: 3, role_id: null, teams: ['oncall'] }],
      [5, 'admins', { role: 2, teams: [] }],
    ] as const) {
      const { who } = await signIn({ sub: `p${number}`, email: `p${number}@example.com`, groups });
      expect(who?.userId).toBe(`p${number}`);
      expect(await sso.person(`p${number}`)).toMatchObject(expected);
    }
  });

  test('follow the groups at each sign-in, every replica is told, and it is written down', async () => {
    await sso.addOidc(idp, { groups: GROUPS, defaultRole: 3 });
    await signIn({ groups: ['admins', 'eng'] });
    await sso.query(`insert into team_member values ('default', 'chess', 'ada')`);
    sso.seen.audit.length = 0;
    sso.seen.published.length = 0;
    await signIn({ groups: ['sleepless'] });
    expect(await sso.person('ada')).toMatchObject({ role: 3, role_id: null, teams: ['chess', 'oncall'] });
    expect(sso.seen.published).toEqual(['user ada']);
    expect(sso.seen.audit).toMatchObject([
      {
        operation: 'sso.changed',
        userId: 'ada',
        details: { before: '2', after: '3', joined: [], left: ['backend'] },
      },
      { operation: 'sso.signIn', outcome: 'done' },
    ]);
  });

  test('that stay as they are change nothing and disturb nobody', async () => {
    await sso.addOidc(idp, { groups: GROUPS });
    await signIn({ groups: ['eng'] });
    sso.seen.published.length = 0;
    await signIn({ groups: ['eng'] });
    expect(sso.seen.published).toEqual([]);
  });

  test("are an administrator's to give where the mapping names none", async () => {
    await sso.addOidc(idp, { groups: [{ group: 'sleepless', teams: ['oncall'] }], defaultRole: 3 });
    await signIn();
    await sso.query(`update "user" set role = 2 where id = 'ada'`);
    await sso.query(`insert into team_member values ('default', 'chess', 'ada')`);
    await signIn({ groups: ['sleepless'] });
    expect(await sso.person('ada')).toMatchObject({ role: 2, teams: ['chess', 'oncall'] });
  });

  test('of the owner are left alone', async () => {
    await sso.addOidc(idp, { groups: GROUPS, defaultRole: 3 });
    await sso.addPerson('olivia', { role: 1 });
    await sso.query(
      `insert into external_identity (workspace_id, user_id, provider_id, subject) values ('default', 'olivia', 'company', 'ada-1')`,
    );
    expect((await signIn({ groups: ['eng'] })).who?.userId).toBe('olivia');
    expect(await sso.person('olivia')).toMatchObject({ role: 1, role_id: null, teams: [] });
  });

  test('that were removed meanwhile give nothing', async () => {
    await sso.addOidc(idp, { groups: GROUPS });
    await sso.query(`delete from role`);
    await sso.query(`delete from team where id = 'backend'`);
    await signIn({ groups: ['eng'] });
    await signIn({ groups: ['eng'] });
    expect(await sso.person('ada')).toMatchObject({ role: 3, role_id: null, teams: ['oncall'] });
  });
});

describe('nobody is let in', () => {
  const turnedAway = async (claims: object, code: string, sentence: string) => {
    const { status, text, who } = await signIn(claims);
    expect([status, who]).toEqual([403, undefined]);
    expect(text).toContain(sentence);
    expect(refusal()).toMatch(new RegExp(`^${code}: `));
  };

  test('without a matching group where there is no default role', async () => {
    await sso.addOidc(idp, { groups: GROUPS, defaultRole: null });
    await turnedAway({ groups: ['others'] }, 'not-mapped', 'You are in no group that may use this Peta');
    await turnedAway({}, 'not-mapped', 'Ask whoever administers your groups');
    expect(await sso.person('ada')).toBeUndefined();
  });

  test('who left all groups; and what the groups gave is taken back', async () => {
    await sso.addOidc(idp, { groups: GROUPS, defaultRole: null });
    await signIn({ groups: ['admins', 'eng'] });
    sso.seen.published.length = 0;
    await turnedAway({ groups: [] }, 'not-mapped', 'You are in no group');
    expect(await sso.person('ada')).toMatchObject({ role: 3, teams: [] });
    expect(sso.seen.published).toEqual(['user ada']);
    expect(sso.seen.audit.at(-1)?.userId).toBe('ada');
  });

  test('who is disabled or whose time is over', async () => {
    await sso.addOidc(idp);
    await signIn();
    for (const change of ['status = 0', 'status = 3', `status = 1, expires_at = now() - interval '1 minute'`]) {
      await sso.query(`update "user" set ${change} where id = 'ada'`);
      await turnedAway({}, 'disabled', 'Your account here is switched off or has ended');
    }
  });

  test('without an account where none are made', async () => {
    await sso.addOidc(idp, { createUsers: false });
    await turnedAway({}, 'no-account', 'Ask an administrator of Peta to make one');
  });

  test('of another domain, also when they were of this one before', async () => {
    await sso.addOidc(idp, { allowedDomains: ['example.com'] });
    for (const email of ['ada@evil.example', 'ada@example.com.evil.example', 'ada@sub.example.com'])
      await turnedAway({ email }, 'foreign-domain', 'of no domain that may sign in here');
    expect((await signIn()).who?.userId).toBe('ada');
    await turnedAway({ email: 'ada@evil.example' }, 'foreign-domain', 'domain');
  });

  test.each([
    'example.com',
    '"a@example.com"@evil.example',
    'ada@evil.example@example.com',
    'ada @example.com',
    '@example.com',
  ])('with %j, which is no address', async (email) => {
    await sso.addOidc(idp, { allowedDomains: ['example.com'] }, { requireVerifiedEmail: false });
    await turnedAway({ email }, 'no-verified-email', 'does not vouch for an e-mail address');
  });

  test.each([{ email_verified: false }, { email_verified: undefined }, { email: undefined }])(
    'without a verified address: %j',
    async (claims) => {
      await sso.addOidc(idp);
      await turnedAway(claims, 'no-verified-email', 'Confirm your e-mail address there');
    },
  );
});

describe('an address that is not said to be verified', () => {
  test('counts where the provider is trusted with it, unless it says the contrary', async () => {
    await sso.addOidc(idp, { allowedDomains: ['example.com'] }, { requireVerifiedEmail: false });
    expect((await signIn({ email_verified: undefined })).who?.userId).toBe('ada');
    expect((await signIn({ sub: 'other', email: 'bea@example.com', email_verified: false })).who).toBeUndefined();
  });

  test('of another claim is not verified by what is said of the claim email', async () => {
    await sso.addOidc(idp, {}, { emailClaim: 'preferred_username' });
    expect((await signIn({ preferred_username: 'boss@example.com' })).who).toBeUndefined();
    expect(refusal()).toMatch(/^no-verified-email/);
  });
});

describe('an account that is there already', () => {
  const LINKING = { linkByEmail: true, allowedDomains: ['example.com'] };

  test('is taken over by the verified address where that is allowed, and keeps its name', async () => {
    await sso.addOidc(idp, LINKING);
    await sso.addPerson('countess', { email: 'ada@example.com', role: 2 });
    expect((await signIn({ email: 'ADA@example.com' })).who?.userId).toBe('countess');
    expect(operations()).toEqual(['sso.linked done', 'sso.signIn done']);
    expect(await sso.person('countess')).toMatchObject({ name: 'countess', role: 2 });
    await sso.query(`update "user" set email = 'other@example.com' where id = 'countess'`);
    expect((await signIn()).who?.userId).toBe('countess');
  });

  test.each<[string, object, object, object, object]>([
    ['where linking is off', { linkByEmail: false }, {}, {}, {}],
    ['by an address that is not verified', {}, { requireVerifiedEmail: false }, { email_verified: undefined }, {}],
    ["of the owner's", {}, {}, {}, { role: 1 }],
    ["of an agent's", {}, {}, {}, { kind: 'agent' }],
  ])('is not taken over %s, and no second one is made', async (_what, mapping, settings, claims, person) => {
    await sso.addOidc(idp, { ...LINKING, ...mapping }, settings);
    await sso.addPerson('countess', { email: 'ada@example.com', ...person });
    const { status, text } = await signIn(claims);
    expect([status, text]).toEqual([
      403,
      expect.stringContaining('belongs to an account here that this provider may not sign in'),
    ]);
    expect(await sso.query('select id from "user"')).toEqual([{ id: 'countess' }]);
    expect(await sso.query('select * from external_identity')).toEqual([]);
  });

  test('and is somebody else at the provider is not taken over: addresses are given anew', async () => {
    await sso.addOidc(idp, LINKING);
    await signIn();
    expect((await signIn({ sub: 'her successor' })).text).toContain('belongs to an account here');
    expect((await signIn()).who?.userId).toBe('ada');
  });

  test('and is disabled is not taken over', async () => {
    await sso.addOidc(idp, LINKING);
    await sso.addPerson('countess', { email: 'ada@example.com', status: 0 });
    expect((await signIn()).text).toContain('switched off');
    expect(await sso.query('select * from external_identity')).toEqual([]);
  });

  test('and has no address, only the same id, is somebody else', async () => {
    await sso.addOidc(idp, LINKING);
    await sso.addPerson('ada');
    expect((await signIn()).who?.userId).toBe('ada-2');
  });

  test('is one, although two browsers came first at the same moment', async () => {
    await sso.addOidc(idp);
    idp.signIn(ADA);
    const all = await Promise.all([sso.signIn(), sso.signIn(), sso.signIn()]);
    expect(all.map(({ who }) => who?.userId)).toEqual(['ada', 'ada', 'ada']);
    expect(await sso.query('select id from "user"')).toHaveLength(1);
  });
});

test('a claim may lie deeper, and carry names with dots', async () => {
  await sso.addOidc(idp, { groups: [{ group: 'eng', role: 2 }], defaultRole: null }, { groupsClaim: 'groups.names' });
  expect((await signIn({ groups: { names: ['eng'] } })).who?.userId).toBe('ada');
});
