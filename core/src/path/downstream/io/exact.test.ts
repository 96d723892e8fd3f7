import { expect, test } from 'vitest';
import { createExactness } from './exact.ts';

/** What comes out of the stream when the text goes in by pieces of so many bytes. */
const through = async (text: string, size: number, { protectEvents } = createExactness()): Promise<string> => {
  const bytes = new TextEncoder().encode(text);
  const pieces = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size));
      controller.close();
    },
  });
  return new Response(pieces.pipeThrough(protectEvents())).text();
};

const EVENTS = ': alive\n\nid: 1\nevent: message\ndata: {"a":"ü→😀"}\n\nid: 2\r\ndata: {"b":2}\r\n\r\ndata: half';

test.each([1, 2, 3, 7, 1_000])('events without long numbers stay as they are, by pieces of %d bytes', async (size) => {
  expect(await through(EVENTS, size)).toBe(EVENTS);
});

test.each([1, 5, 1_000])('long numbers come back from events by pieces of %d bytes', async (size) => {
  const exactness = createExactness();
  const json = '{"id":1,"result":{"n":12345678901234567890,"t":["1.10",1.10]}}';
  const out = await through(`data: ${json}\n\nid: 7\ndata:${json}\r\n\r\n`, size, exactness);
  const data = [...out.matchAll(/^data: (.*)$/gm)].map(([, text]) => JSON.parse(text ?? '') as unknown);
  expect(data.map((message) => JSON.stringify(exactness.restore(message)))).toEqual([json, json]);
  expect(out).toContain('id: 7');
});

test('a text that looks like what we mark stays a text', () => {
  const [one, other] = [createExactness(), createExactness()];
  const forged: unknown = JSON.parse(other.protectJson('{"n":12345678901234567890}'));
  one.protectJson('{"result":[1.0]}');
  expect(one.restore(forged)).toEqual(forged);
});

test('a number where none may stand is still one for whoever parses it', () => {
  const { protectJson } = createExactness();
  for (const json of [
    '{"jsonrpc":2.0,"method":1e-400}',
    '{"id":1,"error":{"code":1.5e1,"message":12345678901234567890}}',
  ])
    expect(protectJson(json)).toBe(json);
});

test('what is no JSON is left to whoever reads it', () => {
  for (const text of ['{"a":1234567890123456789', '{"a":1.0,"a":2.0}', 'NaN1.0'])
    expect(createExactness().protectJson(text)).toBe(text);
});
