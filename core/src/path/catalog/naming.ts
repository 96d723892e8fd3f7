import type { NameStyle, Selected } from '@peta/api';
import type { Capability, CapabilityKind, Definition, Listing, ListName, ServerRecord } from '#call';
import { includes, labelOf } from './chosen.ts';
import { colonName, exposedName, exposedUri, safeName } from './names.ts';
import { present } from './present.ts';
import { createUris } from './uris.ts';
import { definitionsIn } from './variants.ts';

export type Offer = { server: ServerRecord; listing: Listing | undefined };
/** A server with what an endpoint shows of it. */
export type Picked = { offer: Offer; chosen: Selected };

/** One capability of one server, as an endpoint lists it. */
export type Entry = {
  list: ListName;
  server: ServerRecord;
  capability: Capability;
  /** As its server lists it. */
  listed: Definition;
  definition: Definition;
};
/** Two that would be shown under one name: the first has it, the second is shown under its server's. */
type Collision = { name: string; first: Capability; second: Capability };

const LISTS: readonly ListName[] = ['tools', 'prompts', 'resources', 'templates'];
const KIND: Record<ListName, CapabilityKind> = {
  tools: 'tool',
  prompts: 'prompt',
  resources: 'resource',
  templates: 'resource',
};
const KEY = { tools: 'name', prompts: 'name', resources: 'uri', templates: 'uriTemplate' } as const;

/** Everything of the servers that was chosen, in order, under the servers' own names. */
const chosenEntries = (picked: readonly Picked[]): (Omit<Entry, 'definition'> & { chosen: Selected })[] =>
  picked.flatMap(({ offer: { server, listing }, chosen }) =>
    LISTS.flatMap((list) =>
      (listing ? definitionsIn(listing, list) : []).flatMap((listed) => {
        const name = listed[KEY[list]];
        if (typeof name !== 'string' || name === '' || !includes(chosen, KIND[list], name)) return [];
        const capability = { kind: KIND[list], serverId: server.serverId, name };
        return [{ list, server, chosen, capability, listed }];
      }),
    ),
  );

const isSame = (one: Capability, other: Capability): boolean =>
  one.serverId === other.serverId && one.name === other.name;

/** The names under which one may be shown, best first: all but the first tell servers apart. */
const candidates = (style: NameStyle, chosen: Selected, { kind, serverId, name }: Capability): string[] => {
  if (kind === 'resource') return [...(style === 'none' ? [name] : []), exposedUri(serverId, name)];
  return [
    exposedName(style, serverId, labelOf(chosen, kind, name)),
    safeName(serverId, name),
    colonName(serverId, name),
  ];
};

/** Further names that are taken when they are sent: both forms with the server's id. */
const aliases = ({ kind, serverId }: Capability, name: string): string[] =>
  kind === 'resource' ? [exposedUri(serverId, name)] : [colonName(serverId, name), safeName(serverId, name)];

/**
 * Gives everything of the picked servers a name of its own. It depends on what is picked and listed, never on who looks:
 * a name means the same to everybody.
 */
export const nameAll = (picked: readonly Picked[], style: NameStyle) => {
  const byName = new Map<string, Capability>();
  const collisions: Collision[] = [];
  const keyOf = (kind: CapabilityKind, name: string): string => `${kind} ${name}`;

  const claim = (chosen: Selected, capability: Capability): string | undefined => {
    const [wanted = '', ...others] = candidates(style, chosen, capability);
    const isFree = (name: string): boolean => {
      const held = byName.get(keyOf(capability.kind, name));
      return held === undefined || isSame(held, capability);
    };
    const holder = byName.get(keyOf(capability.kind, wanted));
    if (holder && !isSame(holder, capability)) collisions.push({ name: wanted, first: holder, second: capability });
    const shown = [wanted, ...others].find(isFree);
    if (shown !== undefined) byName.set(keyOf(capability.kind, shown), capability);
    return shown;
  };

  const named = chosenEntries(picked).flatMap((entry) => {
    const shown = claim(entry.chosen, entry.capability);
    return shown === undefined ? [] : [{ ...entry, shown }];
  });
  /** What is shown comes first, then the servers' own names, then those that replace them. */
  const accept = (capability: Capability, name: string): void => {
    for (const alias of aliases(capability, name)) {
      const key = keyOf(capability.kind, alias);
      if (!byName.has(key)) byName.set(key, capability);
    }
  };
  for (const { capability } of named) accept(capability, capability.name);
  for (const { capability, chosen } of named) accept(capability, labelOf(chosen, capability.kind, capability.name));

  const uris = createUris({
    picked,
    hasPrefix: style !== 'none',
    listed: (uri) => byName.get(keyOf('resource', uri))?.serverId,
    templates: named.flatMap(({ list, capability: { serverId, name } }) =>
      list === 'templates' ? [{ serverId, uriTemplate: name }] : [],
    ),
  });
  const entries = named.map(({ chosen, shown, ...entry }): Entry => {
    const uriOf = (uri: string) => uris.shown(entry.server.serverId, uri);
    return { ...entry, definition: present[entry.list](entry.listed, { shown, uriOf, chosen }) };
  });

  return {
    picked,
    style,
    entries,
    collisions,
    uris,
    /** By kind and any accepted name. */
    find: (kind: CapabilityKind, name: string): Capability | undefined => byName.get(keyOf(kind, name)),
  };
};

export type Naming = ReturnType<typeof nameAll>;
