import type { Arrival } from '#call';

/** One JSON-RPC message, ready for the wire. */
export type Message = Record<string, unknown>;

/** A server-sent event stream that is open. Writing to one that has closed does nothing. */
export type Stream = {
  /** `eventId` is what a client that comes back names as the last it has seen. */
  send(message: Message, eventId?: string): void;
  /** The same for a message that is JSON already. */
  sendText(json: string, eventId?: string): void;
  /** Gives the client something to come back with before anything has been said, and how long to wait before it does. */
  prime(eventId: string, retryMs: number): void;
  /** A line that keeps intermediaries from cutting a quiet stream. */
  keepAlive(): void;
  end(): void;
  /** Calls back once it is closed, by whichever side; at once if it is. */
  onClosed(listener: () => void): void;
};

/** One HTTP exchange at an MCP endpoint, whatever carries it. */
export type Exchange = {
  method: string;
  /** Lower-case name → value; undefined when absent. */
  header(name: string): string | undefined;
  arrival: Omit<Arrival, 'sessionId' | 'client'>;
  /** Where a client finds out how to get a token for this address (RFC 9728). */
  resourceMetadata?: string | undefined;
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
