import { createInterface } from 'node:readline';

type Message = { id?: string | number; method?: string; params?: Record<string, unknown> };
type Reply = { result?: unknown; error?: { code: number; message: string } } | undefined;

export const say = (message: object): void =>
  void process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);

const INITIALIZED = {
  protocolVersion: '2025-11-25',
  capabilities: { tools: { listChanged: true } },
  serverInfo: { name: 'plain', version: '1.0.0' },
};

/**
 * A legacy MCP server by hand, for servers that misbehave: `answer` is given each call and its line, and says what to
 * reply, undefined for nothing.
 */
export const servePlain = (tools: () => object[], answer: (message: Message, line: string) => Reply): void => {
  createInterface({ input: process.stdin }).on('line', (line) => {
    const message = JSON.parse(line) as Message;
    if (message.id === undefined) return;
    if (message.method === 'initialize') return say({ id: message.id, result: INITIALIZED });
    if (message.method === 'tools/list') return say({ id: message.id, result: { tools: tools() } });
    if (message.method === 'ping') return say({ id: message.id, result: {} });
    if (message.method !== 'tools/call')
      return say({ id: message.id, error: { code: -32601, message: 'Method not found' } });
    const reply = answer(message, line);
    if (reply) say({ id: message.id, ...reply });
  });
};

export const tool = (name: string): object => ({ name, inputSchema: { type: 'object' } });
export const text = (value: string) => ({ content: [{ type: 'text', text: value }] });
