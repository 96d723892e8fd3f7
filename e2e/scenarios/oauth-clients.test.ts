import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { textOf } from '../harness/clients.ts';
import { startWithPerson, type WithPerson } from '../harness/oauth-browser.ts';
import { ROOT } from '../harness/peta.ts';

let world: WithPerson;
let peta: WithPerson['peta'];
let callback: WithPerson['callback'];
let ann: WithPerson['ann'];
const folder = mkdtempSync(join(tmpdir(), 'peta-mcp-remote-'));

beforeAll(async () => {
  world = await startWithPerson();
  ({ peta, callback, ann } = world);
});
afterAll(async () => {
  await world?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What a program keeps of its authorization, and its way of opening a browser. */
const createMemory = () => {
  const kept: Record<string, unknown> = {};
  let opened: URL | undefined;
  return {
    redirectUrl: callback.uri,
    clientMetadata: { client_name: 'The SDK', redirect_uris: [callback.uri], token_endpoint_auth_method: 'none' },
    clientInformation: () => kept.client as never,
    saveClientInformation(client: unknown) {
      kept.client = client;
    },
    tokens: () => kept.tokens as never,
    saveTokens(tokens: unknown) {
      kept.tokens = tokens;
    },
    codeVerifier: () => String(kept.verifier),
    saveCodeVerifier(verifier: string) {
      kept.verifier = verifier;
    },
    redirectToAuthorization(url: URL) {
      opened = url;
    },
    opened: (): string => opened?.href ?? '',
  };
};

test('the SDK of the older era finds its way from the bare address to a call', async () => {
  const memory = createMemory();
  const open = () => new LegacyTransport(new URL(peta.mcpUrl), { authProvider: memory });
  const first = open();
  await expect(new LegacyClient({ name: 'sdk', version: '1' }).connect(first)).rejects.toThrow(UnauthorizedError);
  const [, answer] = await Promise.all([ann.answer(memory.opened()), callback.answer()]);
  await first.finishAuth(answer.searchParams.get('code') ?? '');
  const client = new LegacyClient({ name: 'sdk', version: '1' });
  await client.connect(open());
  expect(textOf(await client.callTool({ name: 'fast__echo', arguments: { text: 'hello' } }))).toBe('hello');
  await client.close();
});

test('the SDK of the newer era finds its way from the bare address to a call', async () => {
  const memory = createMemory();
  const open = () => new ModernTransport(new URL(peta.mcpUrl), { authProvider: memory });
  const first = open();
  await expect(new ModernClient({ name: 'sdk', version: '2' }).connect(first)).rejects.toThrow();
  const [, answer] = await Promise.all([ann.answer(memory.opened()), callback.answer()]);
  await first.finishAuth(answer.searchParams);
  const client = new ModernClient({ name: 'sdk', version: '2' });
  await client.connect(open());
  expect(textOf(await client.callTool({ name: 'fast__echo', arguments: { text: 'hello' } }))).toBe('hello');
  await client.close();
});

test('mcp-remote, given nothing but the address, ends at a working call', async () => {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [join(ROOT, 'node_modules/mcp-remote/dist/proxy.js'), peta.mcpUrl],
    // It opens a browser by itself where there is one; here nobody would see it.
    env: { HOME: folder, MCP_REMOTE_CONFIG_DIR: folder, PATH: '/nonexistent' },
    stderr: 'pipe',
  });
  let said = '';
  const address = new Promise<string>((done) => {
    transport.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      const [, url] = /visiting:\s+(http\S+)/.exec(said) ?? [];
      if (url !== undefined) done(url);
    });
  });
  const client = new LegacyClient({ name: 'desktop', version: '1' });
  const connected = client.connect(transport, { timeout: 60_000 });
  await Promise.all([address.then((url) => ann.answer(url)), connected]).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${said}`);
  });
  expect(textOf(await client.callTool({ name: 'fast__echo', arguments: { text: 'hello' } }))).toBe('hello');
  await client.close();
});
