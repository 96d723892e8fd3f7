/** What a client that can be asked is, in either era: it answers questions and keeps what it was asked and told. */
export type Params = Record<string, unknown>;
export type Said = { method: string; params: Params };
export type Result = Params & {
  content?: { type: string; text?: string }[];
  structuredContent?: Params;
  isError?: boolean;
};

type CallOptions = {
  onprogress?: (progress: { progress: number; message?: string | undefined }) => void;
  signal?: AbortSignal;
};

/** How a client answers what it is asked. */
export type Answers = {
  /** `signal` aborts when the question is withdrawn. */
  elicit(params: Params, signal: AbortSignal): Params | Promise<Params>;
  sample(params: Params): Params | Promise<Params>;
  roots(): { uri: string; name?: string }[];
};

export type Peer = {
  era: '2025-11-25' | '2026-07-28';
  answers: Answers;
  /** Every question, and every notification but progress, in order. */
  asked: Said[];
  told: Said[];
  call(name: string, args?: Params, options?: CallOptions): Promise<Result>;
  tools(): Promise<string[]>;
  prompt(name: string, args?: Record<string, string>): Promise<Result>;
  read(uri: string): Promise<Result>;
  templates(): Promise<string[]>;
  complete(ref: Params, argument: { name: string; value: string }): Promise<string[]>;
  /** From now on, log lines of this level and above. */
  setLevel(level: 'debug' | 'info' | 'error'): Promise<void>;
  /** From now on, changes of lists and of this resource. Returns the function that ends it. */
  follow(uri?: string): Promise<() => Promise<void>>;
  /** Says that its roots are others now, where that can be said. */
  rootsChanged(): Promise<void>;
  /** Ends its session, if it has one, and leaves. */
  close(): Promise<void>;
};

export type Capabilities = Params;
export type PeerOptions = { url: string; token: string; name?: string; capabilities?: Capabilities };

/** Declares all that a client can be asked. */
export const EVERYTHING: Capabilities = {
  elicitation: { form: {}, url: {} },
  sampling: {},
  roots: { listChanged: true },
};

const FIELDS: Record<string, unknown> = { boolean: true, integer: 7, number: 7 };

/** Fills each field of a form with its message. */
const filled = ({ message, requestedSchema }: Params): Params => {
  const { properties = {} } = (requestedSchema ?? {}) as { properties?: Record<string, { type: string }> };
  return Object.fromEntries(Object.entries(properties).map(([key, { type }]) => [key, FIELDS[type] ?? message]));
};

/** Accepts everything, and repeats the question in the answer. */
export const willing = (): Answers => ({
  elicit: (params) => ({ action: 'accept', ...(params.mode !== 'url' && { content: filled(params) }) }),
  sample: ({ messages }) => ({
    role: 'assistant',
    model: 'none',
    content: { type: 'text', text: `to ${JSON.stringify(messages)}` },
  }),
  roots: () => [{ uri: 'file:///work', name: 'work' }],
});

export const textIn = ({ content }: Result): string => content?.[0]?.text ?? '';
