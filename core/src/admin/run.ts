import { type Api, api, type Guard, type Handlers, type Operation } from '@peta/api';
import type { z } from 'zod';
import type { Caller, JsonObject, Refused } from '#call';
import { AdminError, forbidden, invalid, unauthorized } from './errors.ts';

/** An asker: somebody with a token, or nobody, as the open operations allow. */
export type Asker = { caller: Caller | null; address: string };

export type Change = {
  caller: Caller | null;
  address: string;
  operation: string;
  target: string | null;
  details: JsonObject;
  outcome: 'done' | 'refused' | 'failed';
  error?: string;
};

type Handler = (input: unknown, who: Asker) => Promise<unknown>;
/** Every operation by its name, such as `users.create`. */
export type Named = { name: string; operation: Operation; handler: Handler };

export const listOperations = (handlers: Handlers<Asker>): Named[] =>
  Object.entries(api).flatMap(([resource, operations]) =>
    Object.entries(operations).map(([verb, operation]): Named => {
      const group = handlers[resource as keyof Api] as Record<string, Handler>;
      const handler = group[verb];
      if (!handler) throw new Error(`The operation ${resource}.${verb} has no handler.`);
      return { name: `${resource}.${verb}`, operation, handler };
    }),
  );

const RANK: Record<Exclude<Guard, 'open'>, number> = { owner: 1, administrator: 2, user: 3 };

/** Throws what keeps the asker out. */
export const checkGuard = (guard: Guard, who: Caller | Refused | null): Caller | null => {
  if (guard === 'open') return who && !('code' in who) ? who : null;
  if (who === null) throw unauthorized('A token is needed: send it as "Authorization: Bearer …".');
  if ('code' in who) throw who.code === 'wrong-endpoint' ? forbidden(who.reason) : unauthorized(who.reason);
  if (who.role <= RANK[guard]) return who;
  throw forbidden(guard === 'owner' ? 'Only the owner may do this.' : 'Only an administrator may do this.');
};

/** What was asked, without anything that could be a secret by its place. */
const SECRET_FIELDS = new Set(['launchConfig', 'secret', 'encryptedToken', 'proxyKey']);
const forRecord = (value: unknown): JsonObject =>
  Object.fromEntries(
    Object.entries(typeof value === 'object' && value !== null ? value : {}).map(([key, field]) => [
      key,
      SECRET_FIELDS.has(key) ? '[secret]' : field,
    ]),
  ) as JsonObject;

const targetOf = (input: Record<string, unknown>): string | null => {
  const target = input.serverId ?? input.userId ?? input.tokenId ?? input.proxyId ?? input.client;
  return target === undefined ? null : String(target);
};

const sentence = ({ issues }: z.ZodError): string =>
  issues
    .slice(0, 5)
    .map(({ path, message }) => `${path.join('.') || 'input'}: ${message}`)
    .join('; ');

type Options = { changed(change: Change): Promise<void> };

/** Runs one operation for one asker: the guard, the shape, the handler, and the record of what changed. */
export const createRunner =
  ({ changed }: Options) =>
  async (
    { name, operation, handler }: Named,
    input: Record<string, unknown>,
    who: Caller | Refused | null,
    address: string,
  ) => {
    const isChange = operation.method !== 'GET';
    const known = who && !('code' in who) ? who : null;
    const record = (outcome: Change['outcome'], more: JsonObject, error?: string) =>
      changed({
        caller: known,
        address,
        operation: name,
        target: targetOf(input),
        details: { asked: forRecord(input), ...more },
        outcome,
        ...(error !== undefined && { error }),
      });
    try {
      const caller = checkGuard(operation.guard, who);
      const parsed = operation.input.safeParse(input);
      if (!parsed.success) throw invalid(sentence(parsed.error));
      const output = operation.output.parse(await handler(parsed.data, { caller, address }));
      if (isChange) await record('done', { result: forRecord(output) });
      return output;
    } catch (error) {
      if (isChange && error instanceof AdminError) await record('refused', {}, error.message);
      throw error;
    }
  };

export type Run = ReturnType<typeof createRunner>;
