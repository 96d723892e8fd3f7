import { createHash } from 'node:crypto';
import type {
  Admitted,
  Capability,
  CapabilityKind,
  Definition,
  Freshness,
  JsonObject,
  ListName,
  ServerRecord,
} from '#call';
import { declaredBy } from './declared.ts';
import { freshnessOf } from './freshness.ts';
import { kindsOf } from './kinds.ts';
import type { Naming } from './naming.ts';
import { isExplored, isForSome, offeredBy } from './variants.ts';

/** What one caller with one client sees at one endpoint, in order, and what each shown name stands for. */
export type View = {
  readonly tools: readonly Definition[];
  readonly resources: readonly Definition[];
  readonly templates: readonly Definition[];
  readonly prompts: readonly Definition[];
  /** How long each list holds, and for whom. */
  readonly freshness: Readonly<Record<ListName, Freshness>>;
  /** What the visible servers declare that is no matter of ours: `extensions` and `experimental`. */
  readonly declared: JsonObject;
  /** Changes exactly when what is listed changes. */
  readonly digests: { readonly tools: string; readonly resources: string; readonly prompts: string };
  /** By kind and accepted name. */
  find(kind: CapabilityKind, exposed: string): Capability | undefined;
  /** A server's own URI as clients of this endpoint know it. */
  uri(serverId: string, uri: string): string;
  /** Visible servers whose list is not known yet. */
  readonly unlisted: readonly string[];
  /** Visible servers that were listed, but not yet as to clients like this one. */
  readonly unexplored: readonly ServerRecord[];
};

export type Allows = (server: ServerRecord, admitted: Admitted, kind: CapabilityKind, name: string) => boolean;
export type AllowsServer = (server: ServerRecord, admitted: Admitted) => boolean;

const digestOf = (...lists: Definition[][]): string =>
  createHash('sha256').update(JSON.stringify(lists)).digest('base64url').slice(0, 22);

const identityOf = ({ kind, serverId, name }: Capability): string => JSON.stringify([kind, serverId, name]);

type Rules = { allows: Allows; allowsServer: AllowsServer };

/** Computes what `admitted` may see of what an endpoint shows; the same `allows` decides its calls. */
export const computeView = (naming: Naming, admitted: Admitted, { allows, allowsServer }: Rules): View => {
  const servers = naming.picked.map(({ offer }) => offer).filter(({ server }) => allowsServer(server, admitted));
  const kinds = kindsOf(admitted.client.capabilities);
  const offered = new Map(
    servers.map(({ server, listing }) => [server.serverId, listing && offeredBy(listing, kinds)] as const),
  );
  const lists: Record<ListName, Definition[]> = { tools: [], resources: [], templates: [], prompts: [] };
  const visible = new Set<string>();
  for (const { list, server, capability, listed, definition } of naming.entries) {
    if (!offered.get(server.serverId)?.(list, listed)) continue;
    if (!allows(server, admitted, capability.kind, capability.name)) continue;
    lists[list].push(definition);
    visible.add(identityOf(capability));
  }
  const { tools, resources, templates, prompts } = lists;
  const listings = servers.map(({ listing }) => listing);
  return {
    ...lists,
    freshness: freshnessOf(listings, admitted.caller.kind === 'anonymous' && !listings.some(isForSome)),
    declared: declaredBy(listings),
    unlisted: servers.flatMap(({ server, listing }) => (listing ? [] : [server.serverId])),
    unexplored: servers.flatMap(({ server, listing }) =>
      !listing || isExplored(listing, server.revision, kinds) ? [] : [server],
    ),
    digests: { tools: digestOf(tools), resources: digestOf(resources, templates), prompts: digestOf(prompts) },
    find(kind, exposed) {
      const capability = naming.find(kind, exposed);
      return capability && visible.has(identityOf(capability)) ? capability : undefined;
    },
    uri: naming.uris.shown,
  };
};
