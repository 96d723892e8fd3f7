import { decodeHeader } from '#lib/header-value';
import type { Exchange } from '../exchange.ts';

type Named = { method: string; params: Record<string, unknown> };

/** Which parameter the header `Mcp-Name` repeats, for the methods that must carry it. */
const NAME_SOURCE: Readonly<Record<string, 'name' | 'uri' | 'taskId'>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  'tasks/get': 'taskId',
  'tasks/update': 'taskId',
  'tasks/cancel': 'taskId',
};

/**
 * Streamable HTTP of 2026-07-28, "Request Metadata": headers repeat the body so that intermediaries can route without
 * reading it, and a difference is refused. Returns what differs, or undefined.
 */
export const headerMismatch = (exchange: Exchange, { method, params }: Named): string | undefined => {
  if (exchange.header('mcp-protocol-version') === undefined) return 'The header MCP-Protocol-Version is missing.';
  const methodHeader = exchange.header('mcp-method');
  if (methodHeader === undefined) return 'The header Mcp-Method is missing.';
  if (methodHeader.trim() !== method) return `The header Mcp-Method differs from the method in the body, ${method}.`;
  const source = NAME_SOURCE[method];
  const inBody = source && params[source];
  if (typeof inBody !== 'string') return undefined;
  const nameHeader = exchange.header('mcp-name');
  if (nameHeader === undefined) return 'The header Mcp-Name is missing.';
  if (decodeHeader(nameHeader) !== inBody) return `The header Mcp-Name differs from params.${source} in the body.`;
  return undefined;
};
