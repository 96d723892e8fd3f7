/**
 * A server over stdio, by hand, with what SDKs do not know: extensions of its own, a tool that returns an array, hints for
 * caches. It speaks the era that `--era` names.
 */
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

const { era } = parseArgs({ options: { era: { type: 'string', default: 'modern' } } }).values;
const isModern = era === 'modern';

type Params = { uri?: string; capabilities?: object; _meta?: Record<string, object> };
type Answer = { result: object } | { error: { code: number; message: string; data?: object } };

const SERVER = { name: 'extended', version: '1.0.0' };
const CAPABILITIES = {
  tools: {},
  resources: {},
  extensions: { 'com.example/shapes': { sides: [4, 3], z: { deep: null }, a: 1.5 } },
  experimental: { [`com.example/${era}`]: { on: true } },
};
const TOOL = {
  name: 'declared',
  description: 'Returns what the client declared, in an array',
  inputSchema: { type: 'object' },
  outputSchema: { type: 'array', items: { type: 'object' } },
};

let declared: object = {};
const hints = (ttlMs: number) => (isModern ? { resultType: 'complete', ttlMs, cacheScope: 'public' } : {});
const notFound = (uri = ''): Answer =>
  isModern
    ? { error: { code: -32602, message: 'Resource not found', data: { uri } } }
    : { error: { code: -32002, message: 'Resource not found', data: { uri } } };

const methods: Record<string, (params: Params) => Answer> = {
  'tools/list': () => ({ result: { tools: [TOOL], ...hints(90_000) } }),
  'tools/call': ({ _meta }) => {
    const structuredContent = [isModern ? _meta?.['io.modelcontextprotocol/clientCapabilities'] : declared];
    return { result: { content: [], structuredContent, ...(isModern && { resultType: 'complete' }) } };
  },
  'resources/list': () => ({ result: { resources: [{ name: 'note', uri: 'note://1' }], ...hints(70_000) } }),
  'resources/templates/list': () => ({ result: { resourceTemplates: [], ...hints(0) } }),
  'resources/read': ({ uri }) =>
    uri === 'note://1' ? { result: { contents: [{ uri, text: 'noted' }], ...hints(5_000) } } : notFound(uri),
  ...(isModern
    ? {
        'server/discover': () => ({
          result: { supportedVersions: ['2026-07-28'], capabilities: CAPABILITIES, ...hints(0) },
        }),
      }
    : {
        initialize: ({ capabilities = {} }) => {
          declared = capabilities;
          return { result: { protocolVersion: '2025-11-25', capabilities: CAPABILITIES, serverInfo: SERVER } };
        },
      }),
};

createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params = {} } = JSON.parse(line) as { id?: string | number; method: string; params?: Params };
  if (id === undefined) return;
  const answer = methods[method]?.(params) ?? { error: { code: -32601, message: `Method not found: ${method}` } };
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, ...answer })}\n`);
});
