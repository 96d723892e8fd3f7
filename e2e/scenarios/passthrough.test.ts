/** What a client proves itself with to Peta is never passed on to the servers behind it. */
import { createServer, type IncomingHttpHeaders, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Client } from '@peta/api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endServers, serveHttp } from '../harness/behind.ts';
import { registerFixture } from '../harness/fixtures.ts';
import { becomeOwner, cleanUp, type RunningPeta, startPeta } from '../harness/peta.ts';
import { initialize, post, VERSION_META } from '../harness/raw.ts';

let peta: RunningPeta;
let api: Client;
let token: string;
const taps: Server[] = [];
const seen: { headers: IncomingHttpHeaders; body: string }[] = [];

/** Stands in front of a server and writes down all that reaches it. */
const tap = async (target: string): Promise<string> => {
  const server = createServer((incoming, response) => {
    const record = { headers: incoming.headers, body: '' };
    seen.push(record);
    const { hostname, port, host } = new URL(target);
    const headers = { ...incoming.headers, host };
    const out = request({ hostname, port, path: incoming.url, method: incoming.method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    out.on('error', () => response.destroy());
    response.on('close', () => out.destroy());
    incoming.on('data', (chunk: Buffer) => {
      record.body += chunk.toString();
    });
    incoming.pipe(out);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  taps.push(server);
  const url = new URL(target);
  url.port = String((server.address() as AddressInfo).port);
  return url.href;
};

beforeAll(async () => {
  peta = await startPeta();
  ({ api, token } = await becomeOwner(peta));
  for (const era of ['legacy', 'modern'] as const)
    await registerFixture(api, era, { type: 'http', url: await tap(await serveHttp(era)) });
});
afterAll(async () => {
  for (const server of taps) {
    server.closeAllConnections();
    server.close();
  }
  endServers();
  await cleanUp();
});

const COOKIE = 'peta_session=cookie-of-the-client';
/** What a client may send besides, to be tried along. */
const EXTRAS = { cookie: COOKIE, 'x-forwarded-for': '203.0.113.9', 'x-api-key': 'key-of-the-client' };

const credentialOf = async (kind: string): Promise<string> => {
  if (kind === 'a service token') return token;
  const { client, secret } = await api.clients.create({ name: 'Agent', userId: 'owner' });
  const answer = await fetch(`${peta.url}/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${client.clientId}:${secret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  return ((await answer.json()) as { access_token: string }).access_token;
};

describe.each(['a service token', 'an OAuth access token'])('%s', (kind) => {
  test.each(['legacy', 'modern'])('never reaches a %s server, nor does what else was sent with it', async (server) => {
    const bearer = await credentialOf(kind);
    const session = await initialize(peta.mcpUrl, bearer);
    seen.length = 0;
    const name = `${server}__test_simple_text`;
    const modern = await post(
      peta.mcpUrl,
      { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {}, _meta: VERSION_META } },
      {
        token: bearer,
        headers: {
          ...EXTRAS,
          ...{ 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': name },
        },
      },
    );
    const older = await post(
      peta.mcpUrl,
      { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name, arguments: {} } },
      { token: bearer, headers: { ...EXTRAS, 'mcp-session-id': session } },
    );
    for (const { status, text } of [modern, older])
      expect([status, text]).toEqual([200, expect.stringContaining('text')]);
    expect(seen.length).toBeGreaterThan(1);
    const all = JSON.stringify(seen);
    expect(all).toContain('test_simple_text');
    for (const mine of [bearer, session, COOKIE, ...Object.values(EXTRAS)]) expect(all).not.toContain(mine);
    for (const { headers } of seen) expect(headers).not.toHaveProperty('authorization');
  });
});
