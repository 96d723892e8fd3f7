import { createHash } from 'node:crypto';
import type { NameStyle } from '@peta/api';

const MAX_SAFE = 64;
const HASH_LENGTH = 8;

const digest = (serverId: string, name: string): string =>
  createHash('sha256').update(`${serverId}\0${name}`).digest('hex').slice(0, HASH_LENGTH);

/**
 * A name that every client and model interface takes: 1 to 64 of `A-Z a-z 0-9 _ -`. It depends on nothing but its two
 * parts, so it stays the same whatever else is registered. Where the plain form would lose characters, be too long or
 * could be read in two ways, a hash of both parts keeps it unique.
 */
export const safeName = (serverId: string, name: string): string => {
  const plain = `${serverId}__${name}`;
  const isUnambiguous = !serverId.includes('__') && !serverId.endsWith('_');
  if (isUnambiguous && plain.length <= MAX_SAFE && /^[A-Za-z0-9_-]+$/.test(plain)) return plain;
  const cleaned = plain.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, MAX_SAFE - HASH_LENGTH - 1);
  return `${cleaned}_${digest(serverId, name)}`;
};

/** The published form. */
export const colonName = (serverId: string, name: string): string => `${serverId}::${name}`;

const STYLES: Record<NameStyle, (serverId: string, name: string) => string> = {
  safe: safeName,
  colons: colonName,
  none: (_serverId, name) => name,
};

/** How a tool or prompt is shown. Both forms with the server's id are accepted in every style. */
export const exposedName = (style: NameStyle, serverId: string, name: string): string => STYLES[style](serverId, name);

const SCHEME = /^[A-Za-z][A-Za-z0-9.-]*$/;
const UI = 'ui://';

/**
 * A URI (or URI template) under which two servers' equal URIs stay apart and templates still expand:
 * `server::uri`, which is itself a valid URI where the server's id can be a scheme, else `peta:server::uri`. MCP Apps
 * require the scheme `ui`, so there the server becomes the first part of the path.
 */
export const exposedUri = (serverId: string, uri: string): string => {
  if (uri.startsWith(UI)) return `${UI}${serverId}/${uri.slice(UI.length)}`;
  return SCHEME.test(serverId) ? `${serverId}::${uri}` : `peta:${serverId}::${uri}`;
};

/** The server and its own URI behind an exposed one, or undefined when it has none of the exposed forms. */
export const parseExposedUri = (exposed: string): { serverId: string; uri: string } | undefined => {
  if (exposed.startsWith(UI)) {
    const slash = exposed.indexOf('/', UI.length);
    if (slash < 0) return undefined;
    return { serverId: exposed.slice(UI.length, slash), uri: UI + exposed.slice(slash + 1) };
  }
  const text = exposed.startsWith('peta:') && !exposed.startsWith('peta::') ? exposed.slice('peta:'.length) : exposed;
  const at = text.indexOf('::');
  return at > 0 ? { serverId: text.slice(0, at), uri: text.slice(at + 2) } : undefined;
};

/** The server and name in `server::name` or an unhashed `server__name`, for servers whose list is not known yet. */
export const parseExposedName = (exposed: string, serverId: string): string | undefined => {
  for (const prefix of [`${serverId}::`, `${serverId}__`])
    if (exposed.startsWith(prefix) && exposed.length > prefix.length) return exposed.slice(prefix.length);
  return undefined;
};
