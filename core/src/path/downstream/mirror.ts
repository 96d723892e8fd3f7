import { LRUCache } from 'lru-cache';
import type { Json, JsonObject } from '#call';
import { encodeHeader, isCarried } from '#lib/header-value';
import { type MirroredParam, mirroredParams, valueAt } from '#lib/mirrored-params';
import type { Connection } from './connection.ts';
import { asObject, RpcError } from './errors.ts';
import { collect } from './listing.ts';
import type { RequestOptions } from './requests.ts';

type Request = Connection['request'];

const HEADER_MISMATCH = -32020;
const MAX_MARKED = 10_000;

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
  /** Of all lists: what one client is not listed another may be. */
  const marked = new LRUCache<string, readonly MirroredParam[]>({ max: MAX_MARKED });
  /** By the capabilities of the clients for which it is asked. */
  const relisting = new Map<string, Promise<unknown>>();

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
    else marked.delete(name);
    return true;
  };

  const list: Request = async (method, params, options) => {
    const result = await ask(method, params, options);
    if (!Array.isArray(result.tools)) return result;
    return { ...result, tools: result.tools.filter(learn) };
  };

  const relist = ({ timeoutMs, clientCapabilities }: RequestOptions): Promise<unknown> => {
    const audience = JSON.stringify(clientCapabilities ?? {});
    const pending =
      relisting.get(audience) ??
      collect({ request: list }, 'tools/list', 'tools', timeoutMs, clientCapabilities)
        .catch(() => {})
        .finally(() => relisting.delete(audience));
    relisting.set(audience, pending);
    return pending;
  };

  const call: Request = async (method, params, options) => {
    const headers = () => headersFor(marked.get(String(params.name)) ?? [], params.arguments);
    const sent = headers();
    try {
      return await ask(method, params, { ...options, headers: sent });
    } catch (error) {
      if (!(error instanceof RpcError && error.code === HEADER_MISMATCH)) throw error;
      await relist(options);
      const wanted = headers();
      if (JSON.stringify(wanted) === JSON.stringify(sent)) throw error;
      return ask(method, params, { ...options, headers: wanted });
    }
  };

  const own: Readonly<Record<string, Request>> = { 'tools/list': list, 'tools/call': call };
  return (method, params: JsonObject, options) => (own[method] ?? ask)(method, params, options);
};
