import { ProtocolError, SdkError, SdkErrorCode, SdkHttpError } from '@modelcontextprotocol/client';
import { asObject, RpcError, ServerUnavailable } from './errors.ts';

/** What a failure on the way to a server means. */
export type Fault =
  | { kind: 'answered'; error: RpcError }
  /** The server has forgotten the session and did not read the request. */
  | { kind: 'expired' }
  /** Nobody is there, or nobody can be reached. */
  | { kind: 'unreachable'; reason: string }
  | { kind: 'refused'; reason: string };

/** An HTTP answer other than success, where the SDK's transport would say so in words alone. */
export class HttpRefusal extends Error {
  override readonly name = 'HttpRefusal';
  readonly status: number;
  readonly text: string;
  constructor(status: number, text: string) {
    super(`HTTP ${status}`);
    this.status = status;
    this.text = text;
  }
}

/** What a server that answers garbage is said to do. */
export const NO_MESSAGE = 'The server answered with something that is no MCP message.';
const MAX_QUOTE = 300;

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const httpReason = (status: number): string => {
  if (status === 401 || status === 403)
    return `The server refuses Peta's credentials (HTTP ${status}): check the headers it is registered with.`;
  if (status >= 300 && status < 400)
    return `The server redirects to another address (HTTP ${status}), where Peta does not take its credentials: register that address if it is the right one.`;
  return `The server answered with HTTP ${status}.`;
};

const httpFault = (status: number, text: string, hasSession: boolean, id: string | undefined): Fault => {
  const answer = asObject(parsed(text));
  const error = RpcError.from(answer?.error);
  if (error && id !== undefined && answer?.id === id) return { kind: 'answered', error };
  // Servers made from the SDK's examples say 400 where the specification says 404.
  if (hasSession && (status === 404 || (status === 400 && /session/i.test(text)))) return { kind: 'expired' };
  return { kind: 'refused', reason: httpReason(status) };
};

/** Says what went wrong on the network, such as ECONNREFUSED; undefined when it was not the network. */
const networkFailure = (error: unknown): string | undefined => {
  let isNetwork = false;
  for (let at = error; at instanceof Error; at = at.cause) {
    isNetwork ||= at instanceof TypeError && /^(fetch failed|terminated)$/.test(at.message);
    if (isNetwork && 'code' in at && typeof at.code === 'string') return `The server cannot be reached (${at.code}).`;
  }
  return isNetwork ? 'The server cannot be reached.' : undefined;
};

/**
 * Reads a failure of the transport or of the handshake; `id` is the request's. Words of the SDK, of fetch and of an HTTP
 * body are not repeated: they can hold the configured headers.
 */
export const faultOf = (error: unknown, hasSession = false, id?: string): Fault => {
  const refused = (reason: string): Fault => ({ kind: 'refused', reason });
  if (error instanceof ServerUnavailable) return refused(error.message);
  if (error instanceof HttpRefusal) return httpFault(error.status, error.text, hasSession, id);
  if (error instanceof SdkHttpError) return httpFault(error.status, String(error.data.text ?? ''), hasSession, id);
  if (error instanceof ProtocolError)
    return refused(`The server refused to initialise: ${error.message.slice(0, MAX_QUOTE)}`);
  const reason = networkFailure(error);
  if (reason !== undefined) return { kind: 'unreachable', reason };
  if (!(error instanceof SdkError)) return refused(NO_MESSAGE);
  switch (error.code) {
    case SdkErrorCode.RequestTimeout:
      return refused('The server did not answer when it was asked to initialise.');
    case SdkErrorCode.ConnectionClosed:
      return refused('The server closed the connection.');
    case SdkErrorCode.EraNegotiationFailed:
      return refused('The server does not speak the protocol revision it was asked for (mcpProtocol).');
    default:
      return refused(NO_MESSAGE);
  }
};
