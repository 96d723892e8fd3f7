import { UriTemplate } from '@modelcontextprotocol/server';
import { exposedUri, parseExposedUri } from './names.ts';
import type { Picked } from './naming.ts';

type Own = { picked: Picked; uri: string };

const compile = (text: string): UriTemplate | undefined => {
  try {
    return new UriTemplate(text);
  } catch {
    return undefined;
  }
};

const matches = (template: UriTemplate, uri: string): boolean => {
  try {
    return template.match(uri) !== null;
  } catch {
    return false;
  }
};

/** Does the URI come of this template? A template that cannot be read has none. */
export const isExpansion = (uriTemplate: string, uri: string): boolean => {
  const template = compile(uriTemplate);
  return template !== undefined && matches(template, uri);
};

type Options = {
  picked: readonly Picked[];
  hasPrefix: boolean;
  /** The server of a listed URI that is shown as it is. */
  listed(uri: string): string | undefined;
  templates: readonly { serverId: string; uriTemplate: string }[];
};

/** How the URIs of several servers are told apart, listed or not. */
export const createUris = ({ picked, hasPrefix, listed, templates }: Options) => {
  const compiled = templates.flatMap(({ serverId, uriTemplate }) => {
    const template = compile(uriTemplate);
    return template ? [{ serverId, template }] : [];
  });
  const only = picked.length === 1 ? picked[0]?.offer.server.serverId : undefined;

  /** Without prefixes: whose a URI is. The first server whose template fits has it; one server alone has all. */
  const ownerOf = (uri: string): string | undefined =>
    only ?? listed(uri) ?? compiled.find(({ template }) => matches(template, uri))?.serverId;

  const find = (serverId: string | undefined): Picked | undefined =>
    picked.find(({ offer }) => offer.server.serverId === serverId);

  return {
    /** A server's own URI as clients know it: it leads back to that server and no other. */
    shown: (serverId: string, uri: string): string =>
      !hasPrefix && ownerOf(uri) === serverId ? uri : exposedUri(serverId, uri),

    /** The server and its own URI behind one that clients know, or undefined when there is none. */
    own(shown: string): Own | undefined {
      const parsed = parseExposedUri(shown);
      const named = parsed && find(parsed.serverId);
      const bare = hasPrefix ? undefined : find(ownerOf(shown));
      if (bare && (!named || shown.startsWith('ui://'))) return { picked: bare, uri: shown };
      return named && { picked: named, uri: parsed.uri };
    },
  };
};
