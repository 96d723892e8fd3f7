import { type Api, api, type Guard, type Handlers, type Operation } from '@peta/api';
import type { z } from 'zod';
import type { Caller, JsonObject, Refused } from '#call';
import { AdminError, forbidden, invalid, invalidPermissions, unauthorized } from './errors.ts';
import { isConfined } from './may.ts';
import { createQuota } from './quota.ts';
import { type Change, forRecord, targetOf } from './record.ts';

/** An asker: somebody with a token, or nobody, as the open operations allow. */
export type Asker = {
  caller: Caller | null;
  address: string;
  /** Notes for the log what stood there before a change. */
  before(value: object): void;
  /** Notes for the log whose workspace it is about, where nobody who asks says so. */
  concerns(workspaceId: string): void;
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

/** By their number, or by an operation that a role names; auditors by the latter alone. The owner's is the owner's. */
const mayDo = (name: string, guard: Exclude<Guard, 'open'>, { role, operations, isAuditor }: Caller): boolean =>
  (!isAuditor && role <= RANK[guard]) || (guard !== 'owner' && (operations?.includes(name) ?? false));

const whyNot = (guard: Guard, { isAuditor }: Caller): string => {
  if (isAuditor) return 'An auditor reads what administrators read, and changes nothing.';
  return guard === 'owner' ? 'Only the owner may do this.' : 'Only an administrator may do this.';
};

/** Who passes the guard; null for nobody at an open one. Throws what keeps the asker out. */
const checkGuard = (name: string, guard: Guard, who: Caller | Refused | null): Caller | null => {
  if (guard === 'open') return who && !('code' in who) ? who : null;
  if (who === null) throw unauthorized('A token is needed: send it as "Authorization: Bearer …".');
  if ('code' in who) throw who.code === 'wrong-endpoint' ? forbidden(who.reason) : unauthorized(who.reason);
  if (!mayDo(name, guard, who)) throw forbidden(whyNot(guard, who));
  const { operations } = who.scope;
  if (operations && !operations.includes(name))
    throw forbidden(`This token is for some operations, and ${name} is not one of them: use another.`);
  if (guard !== 'user' && isConfined(who))
    throw forbidden('This token is confined to some servers or tools and cannot administer: use one that is not.');
  return who;
};

const sentence = ({ issues }: z.ZodError): string =>
  issues
    .slice(0, 5)
    .map(({ path, message }) => `${path.join('.') || 'input'}: ${message}`)
    .join('; ');

const PERMISSION_FIELDS = new Set<PropertyKey | undefined>(['permissions', 'capabilities']);

const parse = (operation: Operation, input: object): Record<string, unknown> => {
  const parsed = operation.input.safeParse(input);
  if (parsed.success) return parsed.data;
  const isOfPermissions = parsed.error.issues.every(({ path }) => PERMISSION_FIELDS.has(path[0]));
  throw (isOfPermissions ? invalidPermissions : invalid)(sentence(parsed.error));
};

type Options = { changed(change: Change): Promise<void>; now?: () => number };
type Input = Record<string, unknown>;

/** Of refusals to people without a token, so many a minute are written down: they may be a flood. */
const NAMELESS_PER_MINUTE = 60;

/**
 * Runs one operation for one asker: the guard, the shape, the handler, and the record of what changed. `prepare` turns
 * what arrived into the operation's input, once the guard has let the asker through.
 */
export const createRunner = ({ changed, now = Date.now }: Options) => {
  const mayRecordNameless = createQuota(NAMELESS_PER_MINUTE, now);

  return async (
    { name, operation, handler }: Named,
    arrived: Input,
    who: Caller | Refused | null,
    address: string,
    prepare: (arrived: Input) => Input | Promise<Input> = (input) => input,
  ): Promise<unknown> => {
    const isChange = operation.method !== 'GET';
    const known = who && !('code' in who) ? who : null;
    let details: JsonObject = {};
    let workspaceId = known?.workspaceId;
    const record = (outcome: Change['outcome'], error?: string) =>
      changed({
        caller: known,
        workspaceId,
        address,
        operation: name,
        target: targetOf(arrived),
        details,
        outcome,
        ...(error !== undefined && { error }),
      });

    const recordRefusal = async (message: string): Promise<void> => {
      // Whoever a guard knows not at all was turned away, and written down, at the door.
      if (known || (operation.guard === 'open' && mayRecordNameless())) await record('refused', message);
    };

    try {
      const caller = checkGuard(name, operation.guard, who);
      const input = parse(operation, await prepare(arrived));
      details = { asked: forRecord(input) };
      const before = (value: object) => {
        details = { ...details, before: forRecord(value) };
      };
      const concerns = (id: string) => {
        workspaceId = id;
      };
      const output = operation.output.parse(await handler(input, { caller, address, before, concerns }));
      details = { ...details, result: forRecord(output) };
      if (isChange) await record('done');
      return output;
    } catch (error) {
      if (!isChange) throw error;
      if (error instanceof AdminError) await recordRefusal(error.message);
      // What failed half way is written down if that can be; the asker hears of the failure either way.
      else await record('failed', 'Peta itself failed; its log says why.').catch(() => {});
      throw error;
    }
  };
};

export type Run = ReturnType<typeof createRunner>;
