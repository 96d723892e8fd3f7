/** Event streams by hand, for clients that lose their connection and come back. */
export type StreamedEvent = { id: string | undefined; retry: number | undefined; message: Record<string, unknown> };

type Options = { token: string; session: string; lastEventId?: string; body?: object };

/** An open event stream. */
export type OpenStream = {
  status: number;
  /** Resolves with the next event, or undefined once the stream has ended. */
  next(): Promise<StreamedEvent | undefined>;
  /** Every event until the stream ends. */
  rest(): Promise<StreamedEvent[]>;
  /** Cuts the connection. */
  cut(): void;
};

const parseEvent = (block: string): StreamedEvent | undefined => {
  const fields = new Map(
    block
      .split('\n')
      .filter((line) => !line.startsWith(':'))
      .map((line): [string, string] => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const data = fields.get('data');
  if (data === undefined) return undefined;
  const retry = fields.get('retry');
  return {
    id: fields.get('id'),
    retry: retry === undefined ? undefined : Number(retry),
    message: data === '' ? {} : (JSON.parse(data) as Record<string, unknown>),
  };
};

async function* eventsOf(response: Response): AsyncGenerator<StreamedEvent> {
  let text = '';
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    for (let at = text.indexOf('\n\n'); at >= 0; at = text.indexOf('\n\n')) {
      const event = parseEvent(text.slice(0, at));
      text = text.slice(at + 2);
      if (event) yield event;
    }
  }
}

/** A request whose answer is a stream (with `body`), or the stream of a session (without). */
export const openStream = async (url: string, { token, session, lastEventId, body }: Options): Promise<OpenStream> => {
  const cutting = new AbortController();
  const response = await fetch(url, {
    method: body ? 'POST' : 'GET',
    signal: cutting.signal,
    headers: {
      accept: body ? 'application/json, text/event-stream' : 'text/event-stream',
      authorization: `Bearer ${token}`,
      'mcp-session-id': session,
      'mcp-protocol-version': '2025-11-25',
      ...(body && { 'content-type': 'application/json' }),
      ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  const events = eventsOf(response);
  const next = async () => {
    const { value, done } = await events.next().catch(() => ({ value: undefined, done: true }) as const);
    return done ? undefined : value;
  };
  return {
    status: response.status,
    next,
    async rest() {
      const all: StreamedEvent[] = [];
      for (let event = await next(); event; event = await next()) all.push(event);
      return all;
    },
    cut: () => cutting.abort(),
  };
};
