import { z } from 'zod';
import type { CapabilityKind, Definition, Freshness, Json, JsonObject, ListName, TaskWish } from '#call';
import { taskMethods } from './tasks.ts';

/** What an edge needs of a view: lists in order. */
export type Lists = Readonly<Record<ListName, readonly Definition[]>> & {
  readonly freshness: Readonly<Record<ListName, Freshness>>;
  /** What servers declare beside what Peta offers itself. */
  readonly declared: JsonObject;
};

/** A table without the names that every object has, such as `constructor`: a method of that name is unknown as any other. */
const table = <Row>(rows: Readonly<Record<string, Row>>): Readonly<Record<string, Row>> =>
  Object.assign(Object.create(null), rows);

/** List methods: which list of the view, under which key of the result. */
export const listMethods = table<{ list: ListName; key: string }>({
  'tools/list': { list: 'tools', key: 'tools' },
  'resources/list': { list: 'resources', key: 'resources' },
  'resources/templates/list': { list: 'templates', key: 'resourceTemplates' },
  'prompts/list': { list: 'prompts', key: 'prompts' },
});

type Target = { kind: CapabilityKind; exposedName: string };

const Named = z.looseObject({ name: z.string().min(1), arguments: z.record(z.string(), z.unknown()).optional() });
const Located = z.looseObject({ uri: z.string().min(1) });
const Completion = z.looseObject({
  ref: z.discriminatedUnion('type', [
    z.looseObject({ type: z.literal('ref/prompt'), name: z.string().min(1) }),
    z.looseObject({ type: z.literal('ref/resource'), uri: z.string().min(1) }),
  ]),
  argument: z.looseObject({ name: z.string(), value: z.string() }),
});

/** Methods that reach one capability of one server: where its name stands in the parameters. */
export const callMethods = table<(params: JsonObject) => Target>({
  'tools/call': (params) => ({ kind: 'tool', exposedName: Named.parse(params).name }),
  'prompts/get': (params) => ({ kind: 'prompt', exposedName: Named.parse(params).name }),
  'resources/read': (params) => ({ kind: 'resource', exposedName: Located.parse(params).uri }),
  'resources/subscribe': (params) => ({ kind: 'resource', exposedName: Located.parse(params).uri }),
  'completion/complete': (params) => {
    const { ref } = Completion.parse(params);
    return ref.type === 'ref/prompt'
      ? { kind: 'prompt', exposedName: ref.name }
      : { kind: 'resource', exposedName: ref.uri };
  },
});

/** Parameters that do not have the shape their method demands. */
export class InvalidParams extends Error {
  override readonly name = 'InvalidParams';
}

/** The capability that a call names. Throws `InvalidParams` naming the field that is wrong. */
export const targetOf = (method: string, params: JsonObject): Target => {
  const read = callMethods[method] ?? (Object.hasOwn(taskMethods, method) ? taskMethods[method] : undefined);
  if (!read) throw new InvalidParams(`${method} names no capability`);
  try {
    return read(params);
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    const [issue] = error.issues;
    throw new InvalidParams(
      `Invalid params of ${method}: ${issue?.path.join('.') || 'params'}: ${issue?.message ?? ''}`,
    );
  }
};

/** What a method about a task has to do with it. Throws `InvalidParams`. */
export const taskOf = (method: string, params: JsonObject, isDetailed: boolean): TaskWish => ({
  kind: 'about',
  handle: targetOf(method, params).exposedName,
  isDetailed,
});

const Cursor = z.object({ at: z.int().min(0), after: z.string() });

const keyOf = (definition: Definition): string =>
  String(definition.uriTemplate ?? definition.uri ?? definition.name ?? '');

const readCursor = (text: Json | undefined): z.output<typeof Cursor> | undefined => {
  if (text === undefined) return undefined;
  try {
    return Cursor.parse(JSON.parse(Buffer.from(String(text), 'base64url').toString()));
  } catch {
    throw new InvalidParams('Invalid params: the cursor is not one that this server gave.');
  }
};

/**
 * One page of a list. The cursor holds the position and the last entry shown, so that entries which come or go between
 * two pages neither repeat nor hide others. Throws `InvalidParams` for a cursor that is not ours.
 */
export const pageOf = (
  list: readonly Definition[],
  cursor: Json | undefined,
  pageSize: number,
): { page: readonly Definition[]; nextCursor?: string } => {
  const position = readCursor(cursor);
  const isUnmoved = position && list[position.at - 1] && keyOf(list[position.at - 1] ?? {}) === position.after;
  const found = position && !isUnmoved ? list.findIndex((entry) => keyOf(entry) === position.after) + 1 : 0;
  const start = position ? found || Math.min(position.at, list.length) : 0;
  const page = list.slice(start, start + pageSize);
  const last = page.at(-1);
  if (!last || start + page.length >= list.length) return { page };
  const next = { at: start + page.length, after: keyOf(last) };
  return { page, nextCursor: Buffer.from(JSON.stringify(next)).toString('base64url') };
};
