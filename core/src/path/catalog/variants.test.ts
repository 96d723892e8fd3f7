import { expect, test } from 'vitest';
import type { ClientKind, Listing } from '#call';
import {
  definitionsIn,
  everythingIn,
  isExplored,
  isForSome,
  listsFor,
  offeredBy,
  withBase,
  withVariant,
} from './variants.ts';

const listing = (...names: string[]): Listing => ({
  tools: names.map((name) => ({ name, inputSchema: { type: 'object' } })),
  resources: [],
  templates: [],
  prompts: [],
});
const FORMS: ClientKind[] = ['elicitation'];
const ALL: ClientKind[] = ['elicitation', 'sampling', 'roots'];
const names = ({ tools }: Pick<Listing, 'tools'>) => tools.map(({ name }) => name);

const base = { ...listing('echo'), capabilities: { tools: {} } };
const known = withVariant(base, 'r', FORMS, listing('echo', 'ask'));

test('what clients that can be asked are listed is known of those alone, and of this revision alone', () => {
  expect([isExplored(known, 'r', FORMS), isExplored(known, 'r', ALL), isExplored(known, 's', FORMS)]).toEqual([
    true,
    false,
    false,
  ]);
  expect(isExplored(base, 'r', [])).toBe(true);
  expect([FORMS, ALL, []].map((kinds) => names(listsFor(known, kinds)))).toEqual([['echo', 'ask'], ['echo'], ['echo']]);
  expect(known.capabilities).toEqual({ tools: {} });
});

test('what is the same for everybody is kept once, whatever the order of its keys', () => {
  const stored = { ...base, tools: [{ inputSchema: { type: 'object' }, name: 'echo' }] };
  const same = withVariant(stored, 'r', FORMS, listing('echo'));
  expect(same.variants).toEqual({ revision: 'r', byKinds: { elicitation: null } });
  expect([isExplored(same, 'r', FORMS), isForSome(same), isForSome(known), isForSome(undefined)]).toEqual([
    true,
    false,
    true,
    false,
  ]);
});

test('another revision is asked anew about everybody', () => {
  const both = withVariant(known, 'r', ALL, listing('echo', 'ask', 'more'));
  expect(Object.keys(both.variants?.byKinds ?? {})).toEqual(['elicitation', 'elicitation,sampling,roots']);
  expect(Object.keys(withVariant(both, 's', ALL, base).variants?.byKinds ?? {})).toEqual([
    'elicitation,sampling,roots',
  ]);
});

test('what only some are listed is asked for again once what everybody is listed has changed, and not before', () => {
  expect(withBase(known, listing('echo')).variants).toEqual(known.variants);
  expect(withBase(known, listing('echo', 'add'))).toEqual(listing('echo', 'add'));
  expect(withBase(undefined, base)).toBe(base);
});

test('everything is what everybody is listed, then what only some are, or are in other words', () => {
  const ask = { name: 'ask', description: 'Asks' };
  const reworded = { ...listing('echo'), tools: [{ name: 'echo', description: 'And asks' }, ask] };
  const both = withVariant(known, 'r', ALL, reworded);
  expect(names(everythingIn(both))).toEqual(['echo', 'ask', 'echo', 'ask']);
  expect(definitionsIn(both, 'tools')[2]).toEqual({ name: 'echo', description: 'And asks' });
  expect(definitionsIn(base, 'tools')).toBe(base.tools);
});

test('each definition is offered to those who are listed it', () => {
  const [echo, ask] = definitionsIn(known, 'tools');
  if (!echo || !ask) throw new Error('something is missing');
  const offered = (kinds: ClientKind[]) => [echo, ask].map((one) => offeredBy(known, kinds)('tools', one));
  expect([offered([]), offered(FORMS), offered(ALL)]).toEqual([
    [true, false],
    [true, true],
    [true, false],
  ]);
  expect(offeredBy(known, FORMS)('prompts', ask)).toBe(false);
});
