import type { ClearedCall } from '#call';

let calls = 0;

/** A tool call as policy would clear it: what it carries besides these is not read downstream. */
export const clearedCall = (given: Partial<ClearedCall> = {}): ClearedCall => {
  calls += 1;
  return {
    callId: `call-${calls}`,
    method: 'tools/call',
    params: { name: 'files__own', arguments: { a: 1, b: [{ c: null, d: 'x' }] } },
    capability: { kind: 'tool', serverId: 'files', name: 'own' },
    caller: { workspaceId: 'w', kind: 'user', userId: 'ada' },
    client: { name: 'c', version: '1', capabilities: { elicitation: {}, sampling: {}, roots: {} } },
    endpoint: '/mcp',
    address: '127.0.0.1',
    signal: new AbortController().signal,
    notify: () => {},
    ...given,
  } as unknown as ClearedCall;
};

export const form = (message: string) => ({ method: 'elicitation/create', params: { message } });
export const soon = (ms = 30): Promise<void> => new Promise((done) => setTimeout(done, ms));
