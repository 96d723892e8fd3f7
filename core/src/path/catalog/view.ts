import { createHash } from 'node:crypto';
import type { Admitted, Capability, CapabilityKind, Definition, Listing, ServerRecord } from '#call';
import { colonName, exposedUri, type NameStyle, safeName } from './names.ts';
import { presentPrompt, presentResource, presentTemplate, presentTool } from './present.ts';

/** What one caller with one client sees, in order, and what each shown name stands for. */
export type View = {
  readonly tools: readonly Definition[];
  readonly resources: readonly Definition[];
  readonly templates: readonly Definition[];
  readonly prompts: readonly Definition[];
  /** Changes exactly when what is listed changes. */
  readonly digests: { readonly tools: string; readonly resources: string; readonly prompts: string };
  /** By kind and accepted name. */
  find(kind: CapabilityKind, exposed: string): Capability | undefined;
  /** Visible servers whose list is not known yet. */
  readonly unlisted: readonly string[];
};

export type Offer = { server: ServerRecord; listing: Listing | undefined };
export type Allows = (server: ServerRecord, admitted: Admitted, kind: CapabilityKind, name: string) => boolean;
export type AllowsServer = (server: ServerRecord, admitted: Admitted) => boolean;

const textOf = (definition: Definition, key: 'name' | 'uri' | 'uriTemplate'): string | undefined => {
  const value = definition[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
};

const digestOf = (...lists: Definition[][]): string =>
  createHash('sha256').update(JSON.stringify(lists)).digest('base64url').slice(0, 22);

/** Names → capabilities. Two capabilities that would share a name are both left out: never guess. */
const createIndex = () => {
  const index = new Map<string, Capability | null>();
  return {
    add: (exposed: string, capability: Capability) => {
      const key = `${capability.kind} ${exposed}`;
      const held = index.get(key);
      const isSame = held?.serverId === capability.serverId && held.name === capability.name;
      index.set(key, held === undefined || isSame ? capability : null);
    },
    find: (kind: CapabilityKind, exposed: string) => index.get(`${kind} ${exposed}`) ?? undefined,
  };
};

type Rules = { style: NameStyle; allows: Allows; allowsServer: AllowsServer };

/** Computes what `admitted` may see of `offers`; the same `allows` decides its calls. */
export const computeView = (offers: readonly Offer[], admitted: Admitted, rules: Rules): View => {
  const tools: Definition[] = [];
  const resources: Definition[] = [];
  const templates: Definition[] = [];
  const prompts: Definition[] = [];
  const unlisted: string[] = [];
  const index = createIndex();

  for (const { server, listing } of offers) {
    if (!rules.allowsServer(server, admitted)) continue;
    const { serverId } = server;
    if (!listing) {
      unlisted.push(serverId);
      continue;
    }
    const may = (kind: CapabilityKind, name: string) => rules.allows(server, admitted, kind, name);
    const addNamed = (kind: 'tool' | 'prompt', definition: Definition) => {
      const name = textOf(definition, 'name');
      if (name === undefined || !may(kind, name)) return;
      const capability = { kind, serverId, name };
      index.add(safeName(serverId, name), capability);
      index.add(colonName(serverId, name), capability);
      if (kind === 'tool') tools.push(presentTool(rules.style, serverId, name, definition));
      else prompts.push(presentPrompt(rules.style, serverId, name, definition));
    };
    for (const tool of listing.tools) addNamed('tool', tool);
    for (const prompt of listing.prompts) addNamed('prompt', prompt);
    for (const resource of listing.resources) {
      const uri = textOf(resource, 'uri');
      if (uri === undefined || !may('resource', uri)) continue;
      index.add(exposedUri(serverId, uri), { kind: 'resource', serverId, name: uri });
      resources.push(presentResource(serverId, uri, resource));
    }
    for (const template of listing.templates) {
      const uriTemplate = textOf(template, 'uriTemplate');
      if (uriTemplate === undefined || !may('resource', uriTemplate)) continue;
      index.add(exposedUri(serverId, uriTemplate), { kind: 'resource', serverId, name: uriTemplate });
      templates.push(presentTemplate(serverId, uriTemplate, template));
    }
  }

  return {
    tools,
    resources,
    templates,
    prompts,
    unlisted,
    digests: { tools: digestOf(tools), resources: digestOf(resources, templates), prompts: digestOf(prompts) },
    find: index.find,
  };
};
