import type { Arrival } from '#call';

/** One JSON-RPC message, ready for the wire. */
export type Message = Record<string, unknown>;

/** A server-sent event stream that is open. Writing to one that has closed does nothing. */
export type Stream = {
  send(message: Message): void;
  /** A line that keeps intermediaries from cutting a quiet stream. */
  keepAlive(): void;
  end(): void;
};

/** One HTTP exchange at an MCP endpoint, whatever carries it. */
export type Exchange = {
  method: string;
  /** Lower-case name → value; undefined when absent. */
  header(name: string): string | undefined;
  arrival: Omit<Arrival, 'sessionId' | 'client'>;
  /** The parsed JSON body of a POST. */
  body: unknown;
  /** Aborts when the client closes the connection before it has its answer. */
  gone: AbortSignal;
  /** Exactly one of these three, once. */
  json(status: number, body: Message, headers?: Record<string, string>): void;
  empty(status: number, headers?: Record<string, string>): void;
  stream(headers?: Record<string, string>): Stream;
};

/** Does the client take server-sent events as an answer? */
export const acceptsStream = (exchange: Exchange): boolean =>
  /text\/event-stream|text\/\*|\*\/\*/.test(exchange.header('accept') ?? '*/*');

export const acceptsJson = (exchange: Exchange): boolean =>
  /application\/json|application\/\*|\*\/\*/.test(exchange.header('accept') ?? '*/*');
