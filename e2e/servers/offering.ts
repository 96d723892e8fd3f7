/**
 * A server over stdio, by hand, of the era that `--era` names. To clients that can be asked it lists the tool `ask` too,
 * and describes `grow` in other words. Of the older era, it learns of its client when it is connected to: then it asks for
 * roots at once, and says a moment later that its list has changed.
 */
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { say, text, tool } from './plain-stdio.ts';

const { era } = parseArgs({ options: { era: { type: 'string', default: 'modern' } } }).values;
const isModern = era === 'modern';

type Params = {
  name?: string;
  capabilities?: Capabilities;
  inputResponses?: Record<string, object>;
  _meta?: Record<string, object>;
};
type Capabilities = { elicitation?: object; roots?: object };
type Message = { id?: string | number; method?: string; params?: Params; result?: object };

const CAPABILITIES = { tools: { listChanged: !isModern } };
const FORM = {
  message: 'What then?',
  requestedSchema: { type: 'object', properties: { answer: { type: 'string' } } },
};
const LATE_MS = 10;

const grown: object[] = [];
/** What is known of the client that this process serves. */
let declared: Capabilities = {};
let offered: Capabilities = {};
const roots = Promise.withResolvers<object>();
const waiting = new Map<string, (result: object) => void>();

const complete = (result: object) => ({ ...result, ...(isModern && { resultType: 'complete' }) });
const clientOf = ({ _meta }: Params): Capabilities =>
  isModern ? (_meta?.['io.modelcontextprotocol/clientCapabilities'] ?? {}) : offered;

const ask = (method: string, params: object, then: (result: object) => void): void => {
  const id = `asked-${method}-${waiting.size}`;
  waiting.set(id, then);
  say({ id, method, params });
};

const list = (params: Params) => {
  const { elicitation } = clientOf(params);
  const grow = { ...tool('grow'), description: elicitation ? 'Grows, and could ask' : 'Grows' };
  return complete({
    tools: [grow, tool('roots'), ...(elicitation ? [tool('ask')] : []), ...grown],
    ...(isModern && { ttlMs: 60_000, cacheScope: 'public' }),
  });
};

const calls: Record<string, (params: Params, answer: (result: object) => void) => void> = {
  grow(_params, answer) {
    grown.push(tool(`grown-${grown.length + 1}`));
    setImmediate(() => say({ method: 'notifications/tools/list_changed' }));
    answer(complete(text('grew')));
  },
  roots: (_params, answer) => void roots.promise.then((known) => answer(complete(text(JSON.stringify(known))))),
  ask({ inputResponses }, answer) {
    if (!isModern) return ask('elicitation/create', FORM, (result) => answer(text(JSON.stringify(result))));
    if (inputResponses) return answer(complete(text(JSON.stringify(inputResponses.q))));
    const q = { method: 'elicitation/create', params: { mode: 'form', ...FORM } };
    answer({ resultType: 'input_required', inputRequests: { q }, requestState: 's' });
  },
};

const initialized = (): void => {
  if (declared.roots) ask('roots/list', {}, roots.resolve);
  setTimeout(() => {
    offered = declared;
    say({ method: 'notifications/tools/list_changed' });
  }, LATE_MS);
};

createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params = {}, result = {} } = JSON.parse(line) as Message;
  const answer = (answered: object) => say({ id, result: answered });
  if (method === undefined) return waiting.get(String(id))?.(result);
  if (method === 'notifications/initialized') return initialized();
  if (id === undefined) return;
  if (method === 'initialize' && !isModern) {
    declared = params.capabilities ?? {};
    const serverInfo = { name: 'offering', version: '1.0.0' };
    return answer({ protocolVersion: '2025-11-25', capabilities: CAPABILITIES, serverInfo });
  }
  if (method === 'server/discover' && isModern)
    return answer(
      complete({ supportedVersions: ['2026-07-28'], capabilities: CAPABILITIES, ttlMs: 0, cacheScope: 'public' }),
    );
  if (method === 'tools/list') return answer(list(params));
  const call = method === 'tools/call' ? calls[params.name ?? ''] : undefined;
  if (call) return call(params, answer);
  say({ id, error: { code: -32601, message: `Method not found: ${method}` } });
});
