import type { Json, JsonObject } from '#call';
import { ExactNumber, rounded } from '#lib/exact-number';

/** The server's own JSON-RPC error, passed on as it came. */
export class RpcError extends Error {
  override readonly name = 'RpcError';
  readonly code: number;
  readonly data: Json | undefined;
  constructor(code: number, message: string, data: Json | undefined) {
    super(message);
    this.code = code;
    this.data = data;
  }

  /** Undefined when it is no JSON-RPC error, whatever the server calls it. */
  static from(error: unknown): RpcError | undefined {
    const { code: given, message, data } = asObject(error) ?? {};
    const code = rounded(given);
    return typeof code === 'number' && Number.isInteger(code) && typeof message === 'string'
      ? new RpcError(code, message, data)
      : undefined;
  }
}

/** The server did not answer and will not: it is down, died, or the way to it is cut. The message names no secret. */
export class ServerUnavailable extends Error {
  override readonly name: string = 'ServerUnavailable';
}

/** The server refused the request unread because it has forgotten the session: it is safe to ask again. */
export class SessionExpired extends ServerUnavailable {
  override readonly name = 'SessionExpired';
}

export class CallTimeout extends Error {
  override readonly name = 'CallTimeout';
  constructor(timeoutMs: number) {
    super(`The server did not answer within ${timeoutMs / 1000} s.`);
  }
}

/** The server could not be connected to. `endedByItself`: it ended rather than answer. */
export class HandshakeFailed extends Error {
  override readonly name = 'HandshakeFailed';
  readonly endedByItself: boolean;
  constructor(message: string, endedByItself: boolean) {
    super(message);
    this.endedByItself = endedByItself;
  }
}

/** The value as a JSON object, or undefined when it is anything else. */
export const asObject = (value: unknown): JsonObject | undefined =>
  // What is parsed from the wire holds JSON and nothing else.
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber)
    ? (value as JsonObject)
    : undefined;
