import type { CapabilityKind } from '#call';

const SCOPES: Readonly<Record<CapabilityKind, string>> = {
  tool: 'mcp:tools',
  resource: 'mcp:resources',
  prompt: 'mcp:prompts',
};
const KINDS: readonly CapabilityKind[] = ['tool', 'resource', 'prompt'];

/**
 * What a client without a token that does is told (RFC 6750, 3): what is wrong, where it finds out how to get one
 * (RFC 9728, 5.1), and what to ask for.
 */
export const challengeOf = (
  resourceMetadata: string | undefined,
  error?: 'invalid_token' | 'insufficient_scope',
  kinds: readonly CapabilityKind[] = KINDS,
): string =>
  [
    'Bearer realm="peta"',
    error && `error="${error}"`,
    resourceMetadata &&
      `resource_metadata="${resourceMetadata}", scope="${kinds.map((kind) => SCOPES[kind]).join(' ')}"`,
  ]
    .filter(Boolean)
    .join(', ');

/** The kinds a token has to be for, when it is not for this one. */
export const missingKinds = (
  kinds: readonly CapabilityKind[] | undefined,
  needed: CapabilityKind,
): CapabilityKind[] | undefined => (!kinds || kinds.includes(needed) ? undefined : [...kinds, needed]);
