import type { Caller, JsonObject } from '#call';

/** An administrative change, or the attempt, for the log. */
export type Change = {
  caller: Caller | null;
  /** Whose log it belongs in; undefined where nobody knows. */
  workspaceId: string | undefined;
  address: string;
  operation: string;
  target: string | null;
  details: JsonObject;
  outcome: 'done' | 'refused' | 'failed';
  error?: string;
};

/** Fields that hold a secret by their place; whatever gives itself away elsewhere the log takes out. */
const SECRET_FIELDS = new Set([
  'launchConfig',
  'secret',
  'setupLink',
  'encryptedToken',
  'proxyKey',
  'password',
  'link',
]);

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** What was asked, stood there before, or came of it, without anything that could be a secret by its place. */
export const forRecord = (value: unknown): JsonObject =>
  Object.fromEntries(
    Object.entries(isObject(value) ? value : {}).map(([key, field]) => {
      if (SECRET_FIELDS.has(key) && (typeof field === 'string' || key === 'launchConfig')) return [key, '[secret]'];
      // Everything below a field named token is taken for one; its id is what tells which it was.
      if (key === 'token' && isObject(field) && 'tokenId' in field) return ['tokenId', field.tokenId];
      return [key, isObject(field) && !Array.isArray(field) ? forRecord(field) : field];
    }),
  ) as JsonObject;

/** Whom or what an operation is about. */
export const targetOf = (input: Record<string, unknown>): string | null => {
  const target =
    input.serverId ??
    input.environmentId ??
    input.workspaceId ??
    input.userId ??
    input.tokenId ??
    input.sessionId ??
    input.teamId ??
    input.roleId ??
    input.signInId ??
    input.clientId ??
    input.consentId ??
    input.proxyId ??
    input.client ??
    input.targetId ??
    input.name ??
    null;
  return target === null ? null : String(target);
};
