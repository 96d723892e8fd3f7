/** Calls of 2026-07-28 by hand, one round at a time, for what no well-behaved client would do between two rounds. */
import { EVERYTHING, type Params } from './peer.ts';
import { post, VERSION_META } from './raw.ts';

export type Round = {
  result?: Params & { resultType?: string; requestState?: string; inputRequests?: Record<string, { params: Params }> };
  error?: { code: number; message: string };
};

/** One round. `more` is what a second attempt brings. */
export const playRound = async (
  url: string,
  token: string,
  name: string,
  args: Params,
  more: { requestState?: string | undefined; inputResponses?: Params } = {},
): Promise<Round> => {
  const _meta = { ...VERSION_META, 'io.modelcontextprotocol/clientCapabilities': EVERYTHING };
  const params = { name, arguments: args, ...more, _meta };
  const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': name };
  const { json } = await post(url, { jsonrpc: '2.0', id: 1, method: 'tools/call', params }, { token, headers });
  return json as Round;
};

/** The same answer to every question of a round. */
export const answering = (
  { result }: Round,
  answer: Params,
): { requestState?: string | undefined; inputResponses: Params } => ({
  requestState: result?.requestState,
  inputResponses: Object.fromEntries(Object.keys(result?.inputRequests ?? {}).map((key) => [key, answer])),
});
