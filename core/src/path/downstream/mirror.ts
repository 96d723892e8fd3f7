import type { Json, JsonObject } from '#call';
import { encodeHeader, isCarried } from '#lib/header-value';
import { type MirroredParam, mirroredParams, valueAt } from '#lib/mirrored-params';
import type { Connection } from './connection.ts';
import { asObject, RpcError } from './errors.ts';
import { collect } from './listing.ts';

type Request = Connection['request'];

const HEADER_MISMATCH = -32020;

const headersFor = (params: readonly MirroredParam[], args: Json | undefined): Record<string, string> => {
  const headers: Record<string, string> = {};
  for (const { header, path } of params) {
    const value = valueAt(args, path);
    if (isCarried(value)) headers[header] = encodeHeader(String(value));
  }
  return headers;
};

/**
 * Streamable HTTP of 2026-07-28: calls repeat in headers the parameters that the tool's definition marks with
 * `x-mcp-header`, as it was last listed on this connection. A call that the server refuses for its headers is sent once
 * more if a new list asks for other headers. Tools whose marks are invalid are left out of lists, and `notice` is told.
 */
export const mirroring = (ask: Request, notice: (sentence: string) => void): Request => {
  let marked = new Map<string, readonly MirroredParam[]>();
  let relisting: Promise<unknown> | undefined;

  /** Whether the tool may be used. */
  const learn = (tool: Json): boolean => {
    const { name, inputSchema } = asObject(tool) ?? {};
    if (typeof name !== 'string') return true;
    const found = mirroredParams(inputSchema);
    if ('fault' in found) {
      notice(`The tool ${JSON.stringify(name)} is left out, as the protocol demands: ${found.fault}`);
      return false;
    }
    if (found.params.length > 0) marked.set(name, found.params);
    return true;
  };

  const list: Request = async (method, params, options) => {
    const result = await ask(method, params, options);
    if (!Array.isArray(result.tools)) return result;
    if (params.cursor === undefined) marked = new Map();
    return { ...result, tools: result.tools.filter(learn) };
  };

  const relist = (timeoutMs: number): Promise<unknown> => {
    relisting ??= collect({ request: list }, 'tools/list', 'tools', timeoutMs)
      .catch(() => {})
      .finally(() => {
        relisting = undefined;
      });
    return relisting;
  };

  const call: Request = async (method, params, options) => {
    const headers = () => headersFor(marked.get(String(params.name)) ?? [], params.arguments);
    const sent = headers();
    try {
      return await ask(method, params, { ...options, headers: sent });
    } catch (error) {
      if (!(error instanceof RpcError && error.code === HEADER_MISMATCH)) throw error;
      await relist(options.timeoutMs);
      const wanted = headers();
      if (JSON.stringify(wanted) === JSON.stringify(sent)) throw error;
      return ask(method, params, { ...options, headers: wanted });
    }
  };

  const own: Readonly<Record<string, Request>> = { 'tools/list': list, 'tools/call': call };
  return (method, params: JsonObject, options) => (own[method] ?? ask)(method, params, options);
};
