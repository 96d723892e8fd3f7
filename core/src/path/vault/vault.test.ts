import { expect, test } from 'vitest';
import { EnvelopeBroken, makeEnvelope, openEnvelope } from './envelope.ts';
import { createSealer, SealBroken } from './seal.ts';

const binding = { workspaceId: 'w', table: 'server', row: 'github', column: 'config' };
const sealer = createSealer(Buffer.alloc(32, 1));

test('a sealed value opens where it belongs, and shows nothing of its content', () => {
  const sealed = sealer.seal('hunter2', binding);
  expect(sealed).not.toContain('hunter2');
  expect(sealed).not.toBe(sealer.seal('hunter2', binding));
  expect(sealer.open(sealed, binding)).toBe('hunter2');
});

test('a sealed value moved, changed, or under another key does not open', () => {
  const sealed = sealer.seal('hunter2', binding);
  for (const other of [{ workspaceId: 'x' }, { table: 'x' }, { row: 'x' }, { column: 'x' }])
    expect(() => sealer.open(sealed, { ...binding, ...other })).toThrow(SealBroken);
  expect(() => createSealer(Buffer.alloc(32, 2)).open(sealed, binding)).toThrow(SealBroken);
  expect(() => sealer.open(sealed.slice(0, -4), binding)).toThrow(SealBroken);
  expect(() => sealer.open(`v9.${sealed.slice(3)}`, binding)).toThrow(SealBroken);
  expect(() => sealer.open('', binding)).toThrow(SealBroken);
});

test('the published envelope opens with its token and with no other', async () => {
  const envelope = await makeEnvelope('{"command":"x"}', 'token');
  expect(await openEnvelope(envelope, 'token')).toBe('{"command":"x"}');
  await expect(openEnvelope(envelope, 'other')).rejects.toThrow(EnvelopeBroken);
  const parts = JSON.parse(envelope);
  for (const wrong of [
    '',
    '{}',
    'null',
    JSON.stringify({ ...parts, iv: '' }),
    JSON.stringify({ ...parts, tag: parts.iv }),
  ])
    await expect(openEnvelope(wrong, 'token')).rejects.toThrow(EnvelopeBroken);
});
