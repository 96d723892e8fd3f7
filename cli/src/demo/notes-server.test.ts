import { request } from 'node:http';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startNotesServer } from './notes-server.ts';

let notes: Awaited<ReturnType<typeof startNotesServer>>;
beforeAll(async () => {
  notes = await startNotesServer();
});
afterAll(() => notes.close());

const connect = async (mode: 'legacy' | { pin: string }): Promise<Client> => {
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } });
  await client.connect(new StreamableHTTPClientTransport(new URL(notes.url)));
  return client;
};

describe.each([
  ['2025-11-25', 'legacy' as const],
  ['2026-07-28', { pin: '2026-07-28' }],
] as const)('in %s', (era, mode) => {
  test('a note that was added is listed, read as a resource and completed as a topic', async () => {
    const client = await connect(mode);
    const topic = `shopping-${era}`;
    await client.callTool({ name: 'add_note', arguments: { topic, text: 'two lemons' } });
    const listed = await client.callTool({ name: 'list_notes', arguments: { topic } });
    expect(listed.content).toEqual([{ type: 'text', text: `[${topic}] two lemons` }]);
    const { contents } = await client.readResource({ uri: 'notes://all' });
    expect(JSON.stringify(contents)).toContain('two lemons');
    const { completion } = await client.complete({
      ref: { type: 'ref/prompt', name: 'summarise' },
      argument: { name: 'topic', value: topic.slice(0, -2) },
    });
    expect(completion.values).toEqual([topic]);
    const { messages } = await client.getPrompt({ name: 'summarise', arguments: { topic } });
    expect(JSON.stringify(messages)).toContain('two lemons');
    await client.close();
  });
});

test.each([{ host: 'evil.example' }, { origin: 'http://evil.example' }])(
  'a request with %o is refused',
  async (headers) => {
    const status = await new Promise((done, fail) => {
      request(notes.url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers } }, (response) =>
        done(response.resume().statusCode),
      )
        .on('error', fail)
        .end('{}');
    });
    expect(status).toBe(403);
  },
);
