/** Requests by hand, for what no well-behaved client would send. */
export type RawAnswer = { status: number; headers: Headers; text: string; json: unknown };

type RawOptions = { token?: string; headers?: Record<string, string>; method?: string };

export const VERSION_META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    const event = /^data: (.+)$/m.exec(text)?.[1];
    return event === undefined ? undefined : JSON.parse(event);
  }
};

/** Posts a body as it is. */
export const post = async (
  url: string,
  body: string | object,
  { token, headers, method = 'POST' }: RawOptions = {},
): Promise<RawAnswer> => {
  const response = await fetch(url, {
    method,
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(token && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(method === 'POST' && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    signal: AbortSignal.timeout(20_000),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: parse(text) };
};

/** One stateless tool call of 2026-07-28. */
export const callTool = (
  mcpUrl: string,
  token: string | undefined,
  name: string,
  args: object,
  id: string | number = 1,
): Promise<RawAnswer> =>
  post(
    mcpUrl,
    { jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args, _meta: VERSION_META } },
    {
      ...(token !== undefined && { token }),
      headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': name },
    },
  );

/** Opens a session of 2025-11-25 and returns its id. */
export const initialize = async (mcpUrl: string, token?: string): Promise<string> => {
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } };
  const { headers } = await post(
    mcpUrl,
    { jsonrpc: '2.0', id: 0, method: 'initialize', params },
    token === undefined ? {} : { token },
  );
  return headers.get('mcp-session-id') ?? '';
};
