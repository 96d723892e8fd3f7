import type { ClearedCall, Failed, JsonObject, Outcome } from '#call';
import type { Connection } from './connection.ts';
import { asObject, CallTimeout, RpcError, ServerUnavailable, SessionExpired } from './errors.ts';

type Options = {
  /** Lends a connection to the server, starting it if need be. Rejects with the reason when it cannot be had. */
  use<T>(key: { workspaceId: string; serverId: string }, run: (connection: Connection) => Promise<T>): Promise<T>;
  callTimeoutMs: number;
};

const TIMEOUT = -32001;
const INTERNAL = -32603;

/** The call's parameters with the server's own name for the capability. */
const ownParams = ({ method, params, capability: { name } }: ClearedCall): JsonObject => {
  switch (method) {
    case 'resources/read':
      return { ...params, uri: name };
    case 'completion/complete': {
      const ref = asObject(params.ref) ?? {};
      return { ...params, ref: ref.type === 'ref/resource' ? { ...ref, uri: name } : { ...ref, name } };
    }
    default:
      return { ...params, name };
  }
};

const failed = (code: number, message: string): Failed => ({ kind: 'failed', error: { code, message } });

const toOutcome = ({ signal, capability: { serverId } }: ClearedCall, error: unknown): Outcome => {
  if (signal.aborted) return { kind: 'cancelled' };
  if (error instanceof RpcError)
    return { kind: 'failed', error: { code: error.code, message: error.message, data: error.data } };
  if (error instanceof CallTimeout)
    return failed(
      TIMEOUT,
      `The server ${serverId}: ${error.message} The call was cancelled; it may have had an effect.`,
    );
  if (error instanceof ServerUnavailable)
    return failed(
      INTERNAL,
      `The server ${serverId} is not available: ${error.message} An administrator can see its log.`,
    );
  throw error;
};

/** The same promise, which rejects as soon as the signal aborts. */
const untilAborted = <T>(promise: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });

/** Sends cleared calls to their servers. */
export const createDownstream = ({ use, callTimeoutMs }: Options) => ({
  async send(call: ClearedCall): Promise<Outcome> {
    const { caller, capability, signal, notify } = call;
    const key = { workspaceId: caller.workspaceId, serverId: capability.serverId };
    const ask = () =>
      use(key, (connection) =>
        connection.request(call.method, ownParams(call), { signal, timeoutMs: callTimeoutMs, onNotification: notify }),
      );
    try {
      // A server that has forgotten its session did not read the call: ask once more, on a new one.
      const answer = ask().catch((error: unknown) => {
        if (error instanceof SessionExpired) return ask();
        throw error;
      });
      // A caller who leaves does not wait for a server that is still starting.
      const result = await untilAborted(answer, signal);
      if (result.resultType === 'input_required')
        return failed(
          INTERNAL,
          `The server ${capability.serverId} asks for input, which this Peta cannot pass on yet.`,
        );
      return { kind: 'done', result, isToolError: result.isError === true };
    } catch (error) {
      return toOutcome(call, error);
    }
  },
});
