import { UriTemplate } from '@modelcontextprotocol/server';
import { LRUCache } from 'lru-cache';
import type { Admitted, Ask, Caller, Capability, Outcome, Refused } from '#call';
import { type NameStyle, parseExposedName, parseExposedUri } from './names.ts';
import { presentResult } from './present.ts';
import { type Allows, type AllowsServer, computeView, type Offer, type View } from './view.ts';

/** What exists: every server of a workspace with what it lists, in a fixed order. */
export type Offers = {
  all(workspaceId: string): readonly Offer[];
  /** Counts up with every change of anything `all` returns. */
  version(): number;
};

export type CatalogOptions = {
  offers: Offers;
  style: NameStyle;
  allows: Allows;
  allowsServer: AllowsServer;
  /** Starts servers whose list is not known and waits for them, but never long; failures are its own business. */
  learn(workspaceId: string, serverIds: readonly string[]): Promise<void>;
};

/** A caller names its clients itself, so their number is bounded. */
const MAX_CLIENTS_PER_CALLER = 32;

const unknown = (exposedName: string): Refused => ({
  kind: 'refused',
  code: 'unknown-capability',
  reason: `"${exposedName}" is not known here`,
});

/** What exists and under which name; views per caller, computed once and kept until something they show changes. */
export const createCatalog = ({ offers, style, allows, allowsServer, learn }: CatalogOptions) => {
  /** Keyed by the caller as identity remembers it: a changed permission is another object, with views of its own. */
  const views = new WeakMap<Caller, LRUCache<string, { version: number; view: View }>>();

  const viewsOf = (caller: Caller) => {
    const held =
      views.get(caller) ?? new LRUCache<string, { version: number; view: View }>({ max: MAX_CLIENTS_PER_CALLER });
    views.set(caller, held);
    return held;
  };

  const currentView = (admitted: Admitted): View => {
    const { caller, client } = admitted;
    const version = offers.version();
    const held = viewsOf(caller).get(client.name);
    if (held?.version === version) return held.view;
    const view = computeView(offers.all(caller.workspaceId), admitted, { style, allows, allowsServer });
    viewsOf(caller).set(client.name, { version, view });
    return view;
  };

  const offer = (admitted: Admitted, serverId: string): Offer | undefined =>
    offers.all(admitted.caller.workspaceId).find(({ server }) => server.serverId === serverId);

  /** A template that is switched off takes every URI it expands to with it. */
  const isSwitchedOffByTemplate = ({ server, listing }: Offer, admitted: Admitted, uri: string): boolean =>
    (listing?.templates ?? []).some(({ uriTemplate }) => {
      if (typeof uriTemplate !== 'string' || allows(server, admitted, 'resource', uriTemplate)) return false;
      try {
        return new UriTemplate(uriTemplate).match(uri) !== null;
      } catch {
        return false;
      }
    });

  /** Servers may serve URIs that they do not list: expanded templates, links in results. */
  const findUnlistedResource = (exposed: string, admitted: Admitted): Capability | undefined => {
    const parsed = parseExposedUri(exposed);
    const found = parsed && offer(admitted, parsed.serverId);
    if (!found || !allowsServer(found.server, admitted)) return undefined;
    if (!allows(found.server, admitted, 'resource', parsed.uri)) return undefined;
    if (isSwitchedOffByTemplate(found, admitted, parsed.uri)) return undefined;
    return { kind: 'resource', serverId: parsed.serverId, name: parsed.uri };
  };

  const find = ({ kind, exposedName }: Ask, admitted: Admitted): Capability | undefined =>
    currentView(admitted).find(kind, exposedName) ??
    (kind === 'resource' ? findUnlistedResource(exposedName, admitted) : undefined);

  /** A visible server whose list could not be learnt: the call goes to it, and its answer says what is wrong. */
  const guess = ({ kind, exposedName }: Ask, unlisted: readonly string[]): Capability | undefined => {
    for (const serverId of unlisted) {
      const name = parseExposedName(exposedName, serverId);
      if (name !== undefined) return { kind, serverId, name };
    }
    return undefined;
  };

  return {
    /** What the caller may see, as last known; servers never asked before are given a moment to answer. */
    async view(admitted: Admitted): Promise<View> {
      const view = currentView(admitted);
      if (view.unlisted.length === 0) return view;
      await learn(admitted.caller.workspaceId, view.unlisted);
      return currentView(admitted);
    },

    /** What this caller may see right now, without waiting for anybody. */
    currentView,

    /** The one capability behind a name, or the refusal that hidden and unknown share. */
    async resolve(ask: Ask, admitted: Admitted): Promise<Capability | Refused> {
      const found = find(ask, admitted);
      if (found) return found;
      const { unlisted } = currentView(admitted);
      if (unlisted.length === 0) return unknown(ask.exposedName);
      await learn(admitted.caller.workspaceId, unlisted);
      return find(ask, admitted) ?? guess(ask, currentView(admitted).unlisted) ?? unknown(ask.exposedName);
    },

    /** An outcome as the client may see it: the URIs in it lead back through the gateway. */
    present: (ask: Ask, capability: Capability, outcome: Outcome): Outcome =>
      outcome.kind === 'done' ? { ...outcome, result: presentResult(ask.method, capability, outcome.result) } : outcome,
  };
};
