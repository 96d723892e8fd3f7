import type { Client } from '@peta/api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { cleanUp, type RunningPeta } from '../harness/peta.ts';

import { type Directory, ENTERPRISE, firstOf, GROUP, patchOf, startWithDirectory, USER } from '../harness/scim.ts';

let peta: RunningPeta;
let api: Client;
let ask: Directory;

beforeAll(async () => {
  ({ peta, api, ask } = await startWithDirectory());
});
afterAll(cleanUp);

describe('the examples of RFC 7644 and RFC 7643', () => {
  let id: string;
  let etag: string;

  test('create: 3.3', async () => {
    const { status, headers, json } = await ask('POST', '/Users', {
      schemas: [USER],
      userName: 'bjensen',
      externalId: 'bjensen',
      name: { formatted: 'Ms. Barbara J Jensen III', familyName: 'Jensen', givenName: 'Barbara' },
    });
    expect(status).toBe(201);
    expect(headers.get('content-type')).toMatch(/^application\/scim\+json/);
    expect(json).toMatchObject({
      schemas: [USER],
      userName: 'bjensen',
      externalId: 'bjensen',
      name: { formatted: 'Ms. Barbara J Jensen III', familyName: 'Jensen', givenName: 'Barbara' },
      meta: { resourceType: 'User', created: expect.any(String), lastModified: expect.any(String) },
    });
    ({ id } = json);
    expect(headers.get('location')).toBe(`${peta.url}/scim/v2/Users/${id}`);
    expect(json.meta.location).toBe(headers.get('location'));
    expect(json.meta.version).toBe(headers.get('etag'));
    const again = await ask('POST', '/Users', { schemas: [USER], userName: 'BJensen' });
    expect(again.json).toMatchObject({ status: '409', scimType: 'uniqueness' });
  });

  test('retrieve: 3.4.1, with what is shown of it: 3.9', async () => {
    const { status, headers, json } = await ask('GET', `/Users/${id}`);
    expect(status).toBe(200);
    etag = headers.get('etag') ?? '';
    expect(json.userName).toBe('bjensen');
    const only = await ask('GET', `/Users/${id}?attributes=userName`);
    expect(only.json).toEqual({ schemas: [USER], id, userName: 'bjensen' });
    expect((await ask('GET', '/Users/2819c223-7f76-453a-919d-413861904646')).json).toMatchObject({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
      status: '404',
    });
  });

  test('query: 3.4.2, by GET and by POST', async () => {
    const { json } = await ask('GET', '/Users?attributes=userName&filter=userName%20eq%20%22bjensen%22');
    expect(json).toEqual({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
      totalResults: 1,
      startIndex: 1,
      itemsPerPage: 1,
      Resources: [{ schemas: [USER], id, userName: 'bjensen' }],
    });
    const searched = await ask('POST', '/Users/.search', {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'],
      attributes: ['displayName', 'userName'],
      filter: 'displayName sw "Ms."',
      startIndex: 1,
      count: 10,
    });
    expect(searched.json).toMatchObject({ totalResults: 1, Resources: [{ displayName: 'Ms. Barbara J Jensen III' }] });
    expect((await ask('GET', '/Users?filter=userName%20bogus%20%22x%22')).json).toMatchObject({
      status: '400',
      scimType: 'invalidFilter',
    });
  });

  test('replace: 3.5.1, only what was read: 3.14', async () => {
    const body = {
      schemas: [USER],
      id,
      userName: 'bjensen',
      externalId: 'bjensen',
      name: { formatted: 'Ms. Barbara J Jensen III', familyName: 'Jensen', givenName: 'Barbara', middleName: 'Jane' },
      roles: [],
      emails: [{ value: 'bjensen@example.com' }, { value: 'babs@jensen.org' }],
    };
    const replaced = await ask('PUT', `/Users/${id}`, body, { 'if-match': etag });
    expect(replaced.json).toMatchObject({ name: { middleName: 'Jane' }, emails: body.emails });
    expect((await ask('PUT', `/Users/${id}`, body, { 'if-match': etag })).json).toMatchObject({ status: '412' });
    etag = replaced.headers.get('etag') ?? '';
    expect((await ask('GET', `/Users/${id}`, undefined, { 'if-none-match': etag })).status).toBe(304);
  });

  test('patch: 3.5.2', async () => {
    const added = await ask(
      'PATCH',
      `/Users/${id}`,
      patchOf({
        op: 'add',
        value: { emails: [{ value: 'babs@home.example', type: 'home' }], nickName: 'Babs' },
      }),
      { 'if-match': etag },
    );
    expect(added.json).toMatchObject({ nickName: 'Babs', emails: [{}, {}, { type: 'home' }] });
    const replaced = await ask(
      'PATCH',
      `/Users/${id}`,
      patchOf(
        { op: 'replace', path: 'emails[type eq "home"].value', value: 'b@home.example' },
        { op: 'remove', path: 'emails[value co "jensen.org"]' },
      ),
    );
    expect(replaced.json.emails).toEqual([{ value: 'bjensen@example.com' }, { value: 'b@home.example', type: 'home' }]);
    const refused = await ask(
      'PATCH',
      `/Users/${id}`,
      patchOf({ op: 'replace', path: 'emails[type eq "x"]', value: {} }),
    );
    expect(refused.json).toMatchObject({ status: '400' });
  });

  test('the full and the enterprise user: RFC 7643, 8.2 and 8.3', async () => {
    const body = {
      schemas: [USER, ENTERPRISE],
      externalId: '701984',
      userName: 'bjensen@example.com.au',
      name: {
        formatted: 'Ms. Barbara J Jensen, III',
        familyName: 'Jensen',
        givenName: 'Barbara',
        middleName: 'Jane',
        honorificPrefix: 'Ms.',
        honorificSuffix: 'III',
      },
      displayName: 'Babs Jensen',
      nickName: 'Babs',
      profileUrl: 'https://login.example.com/bjensen',
      emails: [
        { value: 'bjensen@work.example', type: 'work', primary: true },
        { value: 'babs@jensen.org', type: 'home' },
      ],
      addresses: [{ streetAddress: '100 Universal City Plaza', locality: 'Hollywood', type: 'work', primary: true }],
      phoneNumbers: [{ value: '555-555-5555', type: 'work' }],
      ims: [{ value: 'someaimhandle', type: 'aim' }],
      photos: [{ value: 'https://photos.example.com/profilephoto/72930000000Ccne/F', type: 'photo' }],
      userType: 'Employee',
      title: 'Tour Guide',
      preferredLanguage: 'en-US',
      locale: 'en-US',
      timezone: 'America/Los_Angeles',
      active: true,
      password: 't1meMa$heen',
      x509Certificates: [{ value: 'MIIDQzCCAqygAwIBAgICEAAwDQYJKoZIhvcNAQEFBQAwTjELMAkGA1UEBhMCVVMx' }],
      [ENTERPRISE]: {
        employeeNumber: '701984',
        costCenter: '4130',
        organization: 'Universal Studios',
        division: 'Theme Park',
        department: 'Tour Operations',
        manager: { value: '26118915-6090-4610-87e4-49d8ca9f808d', displayName: 'John Smith' },
      },
      meta: { resourceType: 'User', location: 'https://example.com/v2/Users/2819c223' },
    };
    const { status, json } = await ask('POST', '/Users', body);
    expect(status).toBe(201);
    const { name, displayName, nickName, emails, userType, title, locale, timezone } = body;
    expect(json).toMatchObject({
      name,
      displayName,
      nickName,
      emails,
      userType,
      title,
      locale,
      timezone,
      active: true,
    });
    expect(JSON.stringify(json)).not.toContain('t1meMa$heen');
    expect(json.meta.location).toBe(`${peta.url}/scim/v2/Users/${json.id}`);
    expect((await api.users.get({ userId: json.id })).user).toMatchObject({
      name: 'Babs Jensen',
      email: 'bjensen@work.example',
      role: 3,
      status: 1,
    });
  });

  test('the group: RFC 7643, 8.4, and its members: RFC 7644, 3.5.2', async () => {
    const other = (await ask('POST', '/Users', { schemas: [USER], userName: 'mandy' })).json;
    const { status, json } = await ask('POST', '/Groups', {
      schemas: [GROUP],
      displayName: 'Tour Guides',
      members: [{ value: id, $ref: `https://example.com/v2/Users/${id}`, display: 'Babs Jensen' }],
    });
    expect(status).toBe(201);
    const path = `/Groups/${json.id}`;
    const added = await ask('PATCH', path, patchOf({ op: 'add', path: 'members', value: [{ value: other.id }] }));
    expect(added.json.members.map(({ value }: { value: string }) => value).sort()).toEqual([id, other.id].sort());
    expect((await api.teams.get({ teamId: json.id })).team).toMatchObject({
      name: 'Tour Guides',
      members: [id, other.id].sort(),
    });
    expect((await ask('GET', `/Users/${id}`)).json.groups).toMatchObject([{ value: json.id, display: 'Tour Guides' }]);
    const swapped = await ask(
      'PATCH',
      path,
      patchOf({ op: 'remove', path: 'members' }, { op: 'add', path: 'members', value: [{ value: other.id }] }),
    );
    expect(swapped.json.members).toMatchObject([{ value: other.id }]);
    const found = await ask('GET', `/Groups?excludedAttributes=members&filter=members.value+eq+"${other.id}"`);
    expect(found.json.Resources).toMatchObject([{ displayName: 'Tour Guides' }]);
    expect(firstOf(found.json).members).toBeUndefined();
    expect((await ask('DELETE', path)).status).toBe(204);
    expect((await ask('GET', path)).status).toBe(404);
  });

  test('delete: 3.6', async () => {
    expect((await ask('DELETE', `/Users/${id}`)).status).toBe(204);
    expect((await ask('GET', `/Users/${id}`)).status).toBe(404);
    expect((await ask('DELETE', `/Users/${id}`)).status).toBe(404);
    expect((await ask('GET', '/Users?filter=userName+eq+"bjensen"')).json.totalResults).toBe(0);
  });

  test('what the service can do: 4', async () => {
    for (const path of ['/ServiceProviderConfig', '/ResourceTypes', '/Schemas', `/Schemas/${USER}`])
      expect((await ask('GET', path)).status).toBe(200);
    expect((await ask('GET', '/Me')).json).toMatchObject({ status: '501' });
  });
});
