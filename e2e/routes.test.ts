import { request } from 'node:http';
import { type Client, operations } from '@peta/api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { becomeOwner, cleanUp, type RunningPeta, startPeta } from './harness/peta.ts';

let peta: RunningPeta;
let api: Client;
let token: string;
let userToken: string;
let administratorToken: string;
let auditorToken: string;
let confinedToken: string;

beforeAll(async () => {
  peta = await startPeta();
  ({ api, token } = await becomeOwner(peta));
  await api.users.create({ userId: 'user', name: 'User' });
  await api.users.create({ userId: 'administrator', name: 'Administrator', role: 2 });
  userToken = (await api.tokens.issue({ userId: 'user' })).secret;
  await api.users.create({ userId: 'auditor', name: 'Auditor', roleId: 'auditor' });
  auditorToken = (await api.tokens.issue({ userId: 'auditor' })).secret;
  confinedToken = (await api.tokens.issue({ scope: { servers: ['notes'] } })).secret;
  administratorToken = (await api.tokens.issue({ userId: 'administrator' })).secret;
});
afterAll(cleanUp);

type Asked = { status: number; text: string };
/** A request with any Host, which fetch would not send. */
const ask = (method: string, path: string, headers: Record<string, string> = {}): Promise<Asked> =>
  new Promise((done, fail) => {
    const { hostname, port } = new URL(peta.url);
    const sent = request({ hostname, port, path, method, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => done({ status: response.statusCode ?? 0, text }));
    });
    sent.on('error', fail);
    sent.end();
  });

const bearer = (one: string) => ({ authorization: `Bearer ${one}` });
const GUARDS = [
  'open',
  'user',
  'administrator',
  'owner',
  'token',
  'signed-in',
  'half-signed-in',
  'by action',
  'by endpoint',
  'by client',
];
/** What each answers to nobody, where it is not a refusal for want of a token. */
const EXPECTED: Record<string, RegExp> = {
  open: /^(200|400|403|404)$/,
  /** To the page where one signs in, or refused for coming from no page. */
  'signed-in': /^(303|403)$/,
  'half-signed-in': /^(303|403)$/,
  'by action': /^(200|400|403|404)$/,
  'by endpoint': /^(401|404|415)$/,
  'by client': /^(400|401)$/,
};
const fill = (url: string) => url.replace(/:\w+/g, 'x');

describe('every route', () => {
  test('has a guard that is known, and the guard holds', async () => {
    const { routes } = await api.routes.list({});
    expect(routes.length).toBeGreaterThan(40);
    for (const { method, url, guard } of routes) {
      expect(GUARDS, `${method} ${url}`).toContain(guard);
      const { status } = await ask(method, fill(url));
      const expected = EXPECTED[guard] ?? /^(401|415)$/;
      expect(String(status), `${method} ${url} without a token`).toMatch(expected);
      const expectRefusal = async (who: string, of: string) =>
        expect((await ask(method, fill(url), bearer(of))).status, `${method} ${url} as ${who}`).toBe(403);
      if (guard === 'administrator' || guard === 'owner') {
        await expectRefusal('a user', userToken);
        await expectRefusal('the owner with a token for one server', confinedToken);
      }
      if (guard === 'owner') await expectRefusal('an administrator', administratorToken);
      const isOwnSignIn = [...operations.values()].some(
        (one) => one.isOwnSignIn && one.method === method && `/api/v1${one.path}` === url,
      );
      const mayAuditor = guard !== 'owner' && (method === 'GET' || method === 'HEAD' || isOwnSignIn);
      if (guard === 'user' || guard === 'administrator' || guard === 'owner') {
        const { status: seen } = await ask(method, fill(url), bearer(auditorToken));
        expect([`${method} ${url} as an auditor`, seen !== 403]).toEqual([
          `${method} ${url} as an auditor`,
          mayAuditor,
        ]);
      }
    }
  });

  test('refuses a foreign Host and a foreign Origin', async () => {
    const { routes } = await api.routes.list({});
    for (const { method, url } of [...routes, { method: 'GET', url: '/nothing-here' }]) {
      expect(
        (await ask(method, fill(url), { host: 'evil.example', ...bearer(token) })).status,
        `${method} ${url}`,
      ).toBe(403);
      expect(
        (await ask(method, fill(url), { origin: 'https://evil.example', ...bearer(token) })).status,
        `${method} ${url}`,
      ).toBe(403);
    }
  });
});

describe('the OpenAPI document', () => {
  test('describes every operation under /api/v1 and no other', async () => {
    const document = (await (await fetch(`${peta.url}/api/openapi.json`)).json()) as {
      openapi: string;
      paths: Record<
        string,
        Record<string, { operationId: string; parameters: { name: string; in: string }[]; responses: object }>
      >;
    };
    expect(document.openapi).toBe('3.1.0');
    const { routes } = await api.routes.list({});
    const expected = routes
      .filter(({ url }) => url.startsWith('/api/v1'))
      .map(({ method, url }) => `${method} ${url.replace(/:(\w+)/g, '{$1}')}`);
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(described.sort()).toEqual(expected.sort());
    const ids = Object.values(document.paths).flatMap((methods) =>
      Object.values(methods).map(({ operationId }) => operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
    for (const [path, methods] of Object.entries(document.paths))
      for (const { parameters, responses } of Object.values(methods)) {
        const inPath = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name);
        expect(inPath.sort()).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort());
        expect(Object.keys(responses)).toContain('200');
      }
  });
});
