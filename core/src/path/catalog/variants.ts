import type { ClientKind, Definition, Listing, ListName, Lists } from '#call';
import { canonical } from '#lib/canonical';

const LISTS: readonly ListName[] = ['tools', 'prompts', 'resources', 'templates'];

const listsOf = ({ tools, resources, templates, prompts }: Lists): Lists => ({ tools, resources, templates, prompts });

const isSame = (one: Lists, other: Lists): boolean => canonical(listsOf(one)) === canonical(listsOf(other));

/** Where the lists for clients that can be asked in these ways are kept. */
const nameOf = (kinds: readonly ClientKind[]): string => kinds.join();

/** Is it known what the server, as it is configured in this revision, lists to clients that can be asked in these ways? */
export const isExplored = (listing: Listing, revision: string, kinds: readonly ClientKind[]): boolean =>
  kinds.length === 0 ||
  (listing.variants?.revision === revision && Object.hasOwn(listing.variants.byKinds, nameOf(kinds)));

/** What the server lists to clients that can be asked in these ways, as far as it is known. */
export const listsFor = (listing: Listing, kinds: readonly ClientKind[]): Lists =>
  listing.variants?.byKinds[nameOf(kinds)] ?? listing;

/** The lists that only some clients are listed. */
const othersOf = ({ variants }: Listing): Lists[] =>
  Object.values(variants?.byKinds ?? {}).filter((lists) => lists !== null);

/** Is not everybody listed the same, as far as it is known? */
export const isForSome = (listing: Listing | undefined): boolean =>
  listing !== undefined && othersOf(listing).length > 0;

/** One list to anybody: after what everybody is listed comes what only some are, or are in other words. */
export const definitionsIn = (listing: Listing, list: ListName): readonly Definition[] => {
  if (!isForSome(listing)) return listing[list];
  const byText = new Map<string, Definition>();
  for (const one of [listing, ...othersOf(listing)].flatMap((lists) => lists[list]))
    if (!byText.has(canonical(one))) byText.set(canonical(one), one);
  return [...byText.values()];
};

/** What the server lists to anybody. */
export const everythingIn = (listing: Listing): Lists => ({
  tools: [...definitionsIn(listing, 'tools')],
  resources: [...definitionsIn(listing, 'resources')],
  templates: [...definitionsIn(listing, 'templates')],
  prompts: [...definitionsIn(listing, 'prompts')],
});

/** The listing with what clients that can be asked in these ways are listed. */
export const withVariant = (
  listing: Listing,
  revision: string,
  kinds: readonly ClientKind[],
  lists: Lists,
): Listing => {
  const known = listing.variants?.revision === revision ? listing.variants.byKinds : {};
  const variant = isSame(listing, lists) ? null : listsOf(lists);
  return { ...listing, variants: { revision, byKinds: { ...known, [nameOf(kinds)]: variant } } };
};

/** What everybody is listed now. What some are listed is to be asked for again if that has changed. */
export const withBase = (held: Listing | undefined, listing: Listing): Listing =>
  held?.variants && isSame(held, listing) ? { ...listing, variants: held.variants } : listing;

/** Tells of each definition whether clients that can be asked in these ways are offered it. */
export const offeredBy = (
  listing: Listing,
  kinds: readonly ClientKind[],
): ((list: ListName, definition: Definition) => boolean) => {
  if (!isForSome(listing)) return () => true;
  const lists = listsFor(listing, kinds);
  const textOf = (list: ListName, definition: Definition) => `${list} ${canonical(definition)}`;
  const offered = new Set(LISTS.flatMap((list) => lists[list].map((one) => textOf(list, one))));
  return (list, definition) => offered.has(textOf(list, definition));
};
