import { VERSION_META } from '../harness/raw.ts';

/** A valid JSON-RPC message, to be spoilt. */
export type Message = Record<string, unknown>;
export type Messages = readonly [Message, ...Message[]];

const request = (method: string, params: object = {}): Message => ({ jsonrpc: '2.0', id: 7, method, params });
const notification = (method: string, params: object = {}): Message => ({ jsonrpc: '2.0', method, params });
const response = (result: object, id: unknown = 7): Message => ({ jsonrpc: '2.0', id, result });

const NOTIFICATIONS: Messages = [
  notification('notifications/initialized'),
  notification('notifications/cancelled', { requestId: 7, reason: 'no longer needed' }),
  notification('notifications/progress', { progressToken: 'p', progress: 1, total: 2, message: 'half' }),
  notification('notifications/roots/list_changed'),
  notification('notifications/message', { level: 'info', logger: 'l', data: { text: 'x' } }),
  notification('notifications/tasks/status', { taskId: 't', status: 'working', ttl: 1000 }),
  notification('notifications/elicitation/complete', { elicitationId: 'e' }),
];

const SHARED: Messages = [
  request('tools/list', { cursor: 'eyJhdCI6MSwiYWZ0ZXIiOiJ4In0' }),
  request('tools/list'),
  request('tools/call', { name: 'fast__echo', arguments: { text: 'hello' }, _meta: { progressToken: 'p' } }),
  request('tools/call', { name: 'fast__add', arguments: { a: 1.5, b: 2 } }),
  request('tools/call', { name: 'fast::echo', arguments: { text: 'x' }, task: { ttl: 60000 } }),
  request('resources/list'),
  request('resources/templates/list'),
  request('resources/read', { uri: 'fast::fast://motto' }),
  request('resources/read', { uri: 'fast::fast://item/7' }),
  request('prompts/list'),
  request('prompts/get', { name: 'fast__greet', arguments: { name: 'Ada' } }),
  request('completion/complete', {
    ref: { type: 'ref/prompt', name: 'fast__greet' },
    argument: { name: 'name', value: 'A' },
    context: { arguments: { other: 'x' } },
  }),
  request('completion/complete', {
    ref: { type: 'ref/resource', uri: 'fast::fast://item/{id}' },
    argument: { name: 'id', value: '1' },
  }),
  request('tasks/get', { taskId: 't' }),
  request('tasks/list'),
  request('tasks/cancel', { taskId: 't' }),
  request('tasks/result', { taskId: 't' }),
  request('tasks/update', { taskId: 't', inputResponses: {} }),
];

/** What clients of 2025-11-25 and earlier send. */
export const LEGACY: Messages = [
  request('initialize', {
    protocolVersion: '2025-11-25',
    capabilities: { roots: { listChanged: true }, sampling: {}, elicitation: { form: {}, url: {} } },
    clientInfo: { name: 'fuzz', title: 'Fuzz', version: '1' },
  }),
  request('ping'),
  request('logging/setLevel', { level: 'debug' }),
  request('resources/subscribe', { uri: 'fast::fast://motto' }),
  request('resources/unsubscribe', { uri: 'fast::fast://motto' }),
  ...SHARED,
  ...NOTIFICATIONS,
  response({ roots: [{ uri: 'file:///tmp', name: 'tmp' }] }),
  response({ role: 'assistant', content: { type: 'text', text: 'x' }, model: 'm', stopReason: 'endTurn' }),
  response({ action: 'accept', content: { field: 'x' } }),
  { jsonrpc: '2.0', id: 7, error: { code: -32601, message: 'Method not found', data: { a: 1 } } },
];

const withEnvelope = (message: Message): Message => {
  const params = message.params as { _meta?: object } | undefined;
  return params ? { ...message, params: { ...params, _meta: { ...VERSION_META, ...params._meta } } } : message;
};

/** What clients of 2026-07-28 send. */
export const MODERN: Messages = [
  withEnvelope(request('server/discover')),
  withEnvelope(
    request('subscriptions/listen', { notifications: { toolsListChanged: true, resourceSubscriptions: [] } }),
  ),
  withEnvelope(
    request('tools/call', {
      name: 'fast__echo',
      arguments: { text: 'again' },
      inputResponses: { q: { action: 'accept', content: { a: 'b' } } },
      requestState: 'b3BhcXVl',
    }),
  ),
  ...SHARED.map(withEnvelope),
  ...NOTIFICATIONS.map(withEnvelope),
];

/** What a server answers to the call of this id. */
export const responsesFromServer = (id: unknown): Messages => [
  response({ content: [{ type: 'text', text: 'done', annotations: { priority: 0.5 } }], isError: false }, id),
  response({ resultType: 'complete', structuredContent: { n: 1 }, content: [], _meta: { 'a/b': 1 } }, id),
  response({ resultType: 'input_required', inputRequests: { q: { method: 'roots/list' } }, requestState: 's' }, id),
  response({ tools: [{ name: 'x', inputSchema: { type: 'object' } }], nextCursor: 'c' }, id),
  { jsonrpc: '2.0', id, error: { code: -32602, message: 'Invalid params', data: { field: 'x' } } },
  { jsonrpc: '2.0', id: null, error: { code: -32700, message: 'Parse error' } },
];

/** What a server sends while it works on the call of this id and progress token. */
export const fromServer = (id: unknown): Messages => [
  ...responsesFromServer(id),
  notification('notifications/progress', { progressToken: id, progress: 1, total: 2 }),
  notification('notifications/message', { level: 'info', data: 'text' }),
  notification('notifications/cancelled', { requestId: id }),
  notification('notifications/tools/list_changed'),
  notification('notifications/resources/updated', { uri: 'x://y' }),
  notification('notifications/subscriptions/acknowledged', { notifications: { toolsListChanged: true } }),
  notification('notifications/unheard/of', { anything: [1, 2] }),
  request('ping'),
  request('roots/list'),
  request('sampling/createMessage', {
    messages: [{ role: 'user', content: { type: 'text', text: 'hi' } }],
    maxTokens: 100,
  }),
  request('elicitation/create', {
    mode: 'form',
    message: 'Who?',
    requestedSchema: { type: 'object', properties: { name: { type: 'string' } } },
  }),
];
