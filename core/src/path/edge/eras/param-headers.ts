import type { Definition } from '#call';
import { carries, isCarried } from '#lib/header-value';
import { type MirroredParam, mirroredParams, valueAt } from '#lib/mirrored-params';
import type { Exchange } from '../exchange.ts';

type Named = { method: string; params: Record<string, unknown> };
type Marks = ReadonlyMap<string, readonly MirroredParam[]>;

/** Read once for each list: few tools are marked, and every call asks. */
const marksOfLists = new WeakMap<readonly Definition[], Marks>();

const marksOf = (tools: readonly Definition[]): Marks => {
  const held = marksOfLists.get(tools);
  if (held) return held;
  const marks = new Map<string, readonly MirroredParam[]>();
  for (const { name, inputSchema } of tools) {
    const found = mirroredParams(inputSchema);
    if (name !== undefined && 'params' in found && found.params.length > 0) marks.set(name, found.params);
  }
  marksOfLists.set(tools, marks);
  return marks;
};

/**
 * Streamable HTTP of 2026-07-28, "Custom Headers from Tool Parameters": headers repeat the parameters that the shown
 * tool marks. Returns what differs, or undefined.
 */
export const paramMismatch = (
  exchange: Exchange,
  { method, params }: Named,
  tools: () => readonly Definition[],
): string | undefined => {
  if (method !== 'tools/call') return undefined;
  for (const { header, path } of marksOf(tools()).get(String(params.name)) ?? []) {
    const value = valueAt(params.arguments, path);
    const given = exchange.header(header.toLowerCase());
    if (!isCarried(value)) {
      if (given !== undefined) return `The header ${header} has no value in the body to repeat.`;
    } else if (given === undefined) return `The header ${header} is missing.`;
    else if (!carries(given, value))
      return `The header ${header} differs from arguments.${path.join('.')} in the body.`;
  }
  return undefined;
};
