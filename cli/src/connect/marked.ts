import { z } from 'zod';
import type { Message } from './message.ts';

type Marked = { header: string; path: readonly string[] };
type Schema = { 'x-mcp-header'?: unknown; properties?: Record<string, Schema> | undefined };

const Schema: z.ZodType<Schema> = z.looseObject({
  'x-mcp-header': z.unknown().optional(),
  properties: z
    .record(
      z.string(),
      z.lazy(() => Schema),
    )
    .optional(),
});
const Tools = z.looseObject({
  tools: z.array(z.looseObject({ name: z.string(), inputSchema: Schema.optional().catch(undefined) })),
});

const marksIn = (schema: Schema | undefined, path: readonly string[]): Marked[] =>
  Object.entries(schema?.properties ?? {}).flatMap(([name, child]) => {
    const here = [...path, name];
    const mark = child['x-mcp-header'];
    return [
      ...(typeof mark === 'string' ? [{ header: `mcp-param-${mark}`, path: here }] : []),
      ...marksIn(child, here),
    ];
  });

const valueAt = (value: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>(
    (held, name) => (typeof held === 'object' && held !== null ? Reflect.get(held, name) : undefined),
    value,
  );

/**
 * Parameters that tools mark with `x-mcp-header`: a call repeats them in HTTP headers (2026-07-28, Streamable HTTP). Which
 * these are is learnt from the lists that pass by.
 */
export const createMarked = (encode: (text: string) => string) => {
  const tools = new Map<string, Marked[]>();
  return {
    learn({ result }: Message): void {
      for (const { name, inputSchema } of Tools.safeParse(result).data?.tools ?? [])
        tools.set(name, marksIn(inputSchema, []));
    },

    headersFor({ method, params }: Message): Record<string, string> {
      const marked = method === 'tools/call' ? tools.get(String(params?.name)) : undefined;
      return Object.fromEntries(
        (marked ?? []).flatMap(({ header, path }): [string, string][] => {
          const value = valueAt(params?.arguments, path);
          return ['string', 'number', 'boolean'].includes(typeof value) ? [[header, encode(String(value))]] : [];
        }),
      );
    },
  };
};
