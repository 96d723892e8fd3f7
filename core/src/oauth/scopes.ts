import type { CapabilityKind } from '#call';

/** What an access token may be for, and how that is said to the person who allows it. */
const SCOPES: Readonly<Record<string, { kind: CapabilityKind; words: string }>> = {
  'mcp:tools': { kind: 'tool', words: 'See the tools that you may use, and call them in your name' },
  'mcp:resources': { kind: 'resource', words: 'See and read the resources that you may use' },
  'mcp:prompts': { kind: 'prompt', words: 'See and use the prompts that you may use' },
};

export const MCP_SCOPES: readonly string[] = Object.keys(SCOPES);
/** What a client that asks for nothing in particular asks for (RFC 6749, 3.3). */
export const DEFAULT_SCOPE = MCP_SCOPES.join(' ');
/** Scopes of the authorization server itself. */
export const OWN_SCOPES: readonly string[] = ['openid', 'offline_access'];

export const scopesOf = (text: string | undefined): string[] => (text ?? '').split(' ').filter(Boolean);

export const isMcpScope = (scope: string): boolean => Object.hasOwn(SCOPES, scope);

/** The kinds of capability that some scopes open. */
export const kindsOf = (scopes: readonly string[]): CapabilityKind[] =>
  Object.entries(SCOPES).flatMap(([name, { kind }]) => (scopes.includes(name) ? [kind] : []));

export const scopeInWords = (scope: string): string | undefined =>
  Object.hasOwn(SCOPES, scope) ? SCOPES[scope]?.words : undefined;
