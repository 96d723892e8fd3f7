import { expect, test } from 'vitest';
import type { Listing, ServerRecord } from '#call';
import type { Offer } from './naming.ts';
import { createRegistry } from './registry.ts';

const SERVER = { workspaceId: 'w', serverId: 's' } as ServerRecord;
const listingOf = (name: string): Listing => ({ tools: [{ name }], resources: [], templates: [], prompts: [] });

/** A store whose reads and writes take as long as the test says. */
const slowStore = () => {
  let stored: Offer = { server: SERVER, listing: undefined };
  const gates: (() => void)[] = [];
  const gate = () => new Promise<void>((open) => gates.push(open));
  const registry = createRegistry({
    all: async () => [stored],
    async one() {
      const read = stored;
      await gate();
      return read;
    },
    async saveListing(_workspaceId, _serverId, listing) {
      await gate();
      stored = { ...stored, listing };
    },
  });
  const put = (offer: Offer) => {
    stored = offer;
  };
  return { registry, gates, put };
};

test.each([
  ['before', 'the read ends', [0, 1]],
  ['before', 'it is stored', [1, 0]],
])('a list that was learnt while a server was read anew is not lost (%s: first %s)', async (_when, _first, order) => {
  const { registry, gates } = slowStore();
  await registry.load();
  const reading = registry.reload('w', 's');
  const learning = registry.learnt('w', 's', listingOf('new'));
  for (const at of order) {
    gates[at]?.();
    await new Promise((done) => setTimeout(done, 5));
  }
  await Promise.all([reading, learning]);
  expect(registry.get('w', 's')?.listing).toEqual(listingOf('new'));
});

test('what another process has stored since is what holds', async () => {
  const { registry, gates, put } = slowStore();
  await registry.load();
  const learning = registry.learnt('w', 's', listingOf('here'));
  gates[0]?.();
  await learning;
  put({ server: SERVER, listing: listingOf('elsewhere') });
  const reading = registry.reload('w', 's');
  gates[1]?.();
  await reading;
  expect(registry.get('w', 's')?.listing).toEqual(listingOf('elsewhere'));
});
