import { LRUCache } from 'lru-cache';
import type {
  Admitted,
  Ask,
  Call,
  Caller,
  Capability,
  Failed,
  JsonObject,
  Outcome,
  Refused,
  ServerRecord,
} from '#call';
import { changeOf, includes, ownNameOf, withFixed } from './chosen.ts';
import type { Endpoint } from './endpoint.ts';
import { kindsBits } from './kinds.ts';
import { parseExposedName } from './names.ts';
import { type Naming, nameAll, type Offer, type Picked } from './naming.ts';
import { presentResult, presentTask } from './present.ts';
import { isExpansion } from './uris.ts';
import { definitionsIn } from './variants.ts';
import { type Allows, type AllowsServer, computeView, type View } from './view.ts';

/** What exists: every server of a workspace with what it lists, in a fixed order. */
export type Offers = {
  all(workspaceId: string): readonly Offer[];
  /** Counts up with every change of anything `all` returns. */
  version(): number;
};

type CatalogOptions = {
  offers: Offers;
  endpoints: {
    at(workspaceId: string, path: string): Endpoint | undefined;
    /** Counts up with every change of anything `at` returns. */
    version(): number;
  };
  allows: Allows;
  allowsServer: AllowsServer;
  /** Starts servers whose list is not known and waits for them, but never long; failures are its own business. */
  learn(workspaceId: string, serverIds: readonly string[]): Promise<void>;
  /** Finds out what listed servers offer to clients with these capabilities, and waits for it likewise. */
  explore(servers: readonly ServerRecord[], clientCapabilities: JsonObject): Promise<void>;
};

type Place = Pick<Admitted, 'endpoint' | 'caller'>;
type Kept<T> = { version: string; value: T };

/** A caller names its clients itself, so their number is bounded. */
const MAX_VIEWS_PER_CALLER = 32;
const INVALID_PARAMS = -32602;

const NOWHERE = nameAll([], 'safe');

const unknown = (exposedName: string): Refused => ({
  kind: 'refused',
  code: 'unknown-capability',
  reason: `"${exposedName}" is not known here`,
});

/** What exists and under which name; views per caller, computed once and kept until something they show changes. */
export const createCatalog = (options: CatalogOptions) => {
  const { offers, endpoints, allows, allowsServer, learn, explore } = options;
  /** Keyed by the caller as identity remembers it: a changed permission is another object, with views of its own. */
  const views = new WeakMap<Caller, LRUCache<string, Kept<View>>>();
  const namings = new Map<string, Kept<Naming>>();

  const currentVersion = (): string => `${offers.version()} ${endpoints.version()}`;

  const viewsOf = (caller: Caller) => {
    const held = views.get(caller) ?? new LRUCache<string, Kept<View>>({ max: MAX_VIEWS_PER_CALLER });
    views.set(caller, held);
    return held;
  };

  /** What an endpoint shows and under which names, whoever looks. */
  const namingAt = ({ endpoint: path, caller: { workspaceId } }: Place): Naming => {
    const endpoint = endpoints.at(workspaceId, path);
    const key = `${workspaceId} ${path}`;
    if (!endpoint) {
      namings.delete(key);
      return NOWHERE;
    }
    const version = currentVersion();
    const held = namings.get(key);
    if (held?.version === version) return held.value;
    const value = nameAll(endpoint.pick(offers.all(workspaceId)), endpoint.nameStyle);
    namings.set(key, { version, value });
    return value;
  };

  const currentView = (admitted: Admitted): View => {
    const { caller, client, endpoint } = admitted;
    // Anybody has no choices of their own, so that their clients are all alike.
    const name = caller.kind === 'anonymous' ? '' : client.name;
    const key = `${kindsBits(client.capabilities)} ${endpoint} ${name}`;
    const version = currentVersion();
    const held = viewsOf(caller).get(key);
    if (held?.version === version) return held.value;
    const value = computeView(namingAt(admitted), admitted, { allows, allowsServer });
    viewsOf(caller).set(key, { version, value });
    return value;
  };

  /** A template that is switched off takes every URI it expands to with it. */
  const isSwitchedOffByTemplate = ({ server, listing }: Offer, admitted: Admitted, uri: string): boolean =>
    (listing ? definitionsIn(listing, 'templates') : []).some(
      ({ uriTemplate }) =>
        typeof uriTemplate === 'string' &&
        !allows(server, admitted, 'resource', uriTemplate) &&
        isExpansion(uriTemplate, uri),
    );

  const isChosenUri = ({ chosen }: Picked, uri: string): boolean =>
    includes(chosen, 'resource', uri) || (chosen.include?.resources.some((one) => isExpansion(one, uri)) ?? false);

  /** Servers may serve URIs that they do not list: expanded templates, links in results. */
  const findUnlistedResource = (exposed: string, admitted: Admitted): Capability | undefined => {
    const found = namingAt(admitted).uris.own(exposed);
    if (!found || !isChosenUri(found.picked, found.uri)) return undefined;
    const { server } = found.picked.offer;
    if (!allowsServer(server, admitted) || !allows(server, admitted, 'resource', found.uri)) return undefined;
    if (isSwitchedOffByTemplate(found.picked.offer, admitted, found.uri)) return undefined;
    return { kind: 'resource', serverId: server.serverId, name: found.uri };
  };

  const find = ({ kind, exposedName }: Ask, admitted: Admitted): Capability | undefined =>
    currentView(admitted).find(kind, exposedName) ??
    (kind === 'resource' ? findUnlistedResource(exposedName, admitted) : undefined);

  /** A visible server whose list could not be learnt: the call goes to it, and its answer says what is wrong. */
  const guess = ({ kind, exposedName }: Ask, admitted: Admitted): Capability | undefined => {
    const { picked, style } = namingAt(admitted);
    const { unlisted } = currentView(admitted);
    const isAlone = style === 'none' && picked.length === 1;
    for (const { offer, chosen } of picked) {
      const { serverId } = offer.server;
      const label = parseExposedName(exposedName, serverId) ?? (isAlone ? exposedName : undefined);
      if (label === undefined || !unlisted.includes(serverId)) continue;
      const name = ownNameOf(chosen, kind, label);
      if (includes(chosen, kind, name)) return { kind, serverId, name };
    }
    return undefined;
  };

  /** The call as its server is to get it: with the arguments that the endpoint gives. */
  const complete = (ask: Ask, admitted: Admitted, capability: Capability): Call | Failed => {
    const call = { ...ask, ...admitted, capability };
    if (ask.method !== 'tools/call') return call;
    const { serverId, name } = capability;
    const picked = namingAt(admitted).picked.find(({ offer }) => offer.server.serverId === serverId);
    const fixed = picked && changeOf(picked.chosen, name)?.arguments;
    if (!fixed) return call;
    const merged = withFixed(ask.params, fixed);
    if ('params' in merged) return { ...call, ...merged };
    const message = `Invalid params of tools/call: arguments.${merged.sent}: is set by Peta at this endpoint, leave it out.`;
    return { kind: 'failed', error: { code: INVALID_PARAMS, message } };
  };

  const completeView = async (admitted: Admitted): Promise<View> => {
    const { unlisted } = currentView(admitted);
    if (unlisted.length > 0) await learn(admitted.caller.workspaceId, unlisted);
    const { unexplored } = currentView(admitted);
    if (unexplored.length > 0) await explore(unexplored, admitted.client.capabilities);
    return currentView(admitted);
  };

  return {
    /** What the caller may see, as last known; servers never asked before are given a moment to answer. */
    view: completeView,

    /** What this caller may see right now, without waiting for anybody. */
    currentView,

    /** The call of the one capability behind a name, or the refusal that hidden and unknown share. */
    async resolve(ask: Ask, admitted: Admitted): Promise<Call | Refused | Failed> {
      const found = find(ask, admitted);
      if (found) return complete(ask, admitted, found);
      const { unlisted, unexplored } = currentView(admitted);
      if (unlisted.length === 0 && unexplored.length === 0) return unknown(ask.exposedName);
      await completeView(admitted);
      const late = find(ask, admitted) ?? guess(ask, admitted);
      return late ? complete(ask, admitted, late) : unknown(ask.exposedName);
    },

    /** Does the endpoint offer it, and may this caller use it there? Its server need not list it any more. */
    reaches({ kind, serverId, name }: Capability, admitted: Admitted): boolean {
      const found = namingAt(admitted).picked.find(({ offer }) => offer.server.serverId === serverId);
      if (!found || !includes(found.chosen, kind, name)) return false;
      const { server } = found.offer;
      return allowsServer(server, admitted) && allows(server, admitted, kind, name);
    },

    /** An outcome as the client may see it: the URIs in it lead back through the gateway. */
    present(call: Call, outcome: Outcome): Outcome {
      if (outcome.kind !== 'done' && outcome.kind !== 'task') return outcome;
      const { shown } = namingAt(call).uris;
      const uriOf = (uri: string) => shown(call.capability.serverId, uri);
      if (outcome.kind === 'task') return { ...outcome, task: presentTask(uriOf, outcome.task) };
      return { ...outcome, result: presentResult(call.method, uriOf, outcome.result) };
    },
  };
};
