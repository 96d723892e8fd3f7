import type { z } from 'zod';
import type { Operation } from './operation.ts';

type Groups = Record<string, Record<string, Operation>>;

export type ClientOf<A extends Groups> = {
  [R in keyof A]: {
    [K in keyof A[R]]: (input: z.input<A[R][K]['input']>) => Promise<z.output<A[R][K]['output']>>;
  };
};

export type HandlersOf<A extends Groups, Who> = {
  [R in keyof A]: {
    [K in keyof A[R]]: (input: z.output<A[R][K]['input']>, who: Who) => Promise<z.input<A[R][K]['output']>>;
  };
};

export type ClientOptions = { token?: string; fetcher?: typeof fetch };

/** What the server answered instead of a result: `status` is HTTP's, `code` is stable, `message` is a sentence. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
  }
}

const failure = async (response: Response): Promise<ApiError> => {
  const body: unknown = await response.json().catch(() => null);
  const { code, message } = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  return new ApiError(
    response.status,
    typeof code === 'string' ? code : `HTTP_${response.status}`,
    typeof message === 'string' ? message : `The server answered ${response.status}.`,
  );
};

/** Splits an input into the path it fills and what is left for query or body. */
const fill = (path: string, input: Record<string, unknown>): [string, Record<string, unknown>] => {
  const rest = { ...input };
  const filled = path.replace(/:(\w+)/g, (_, key: string) => {
    const value = String(rest[key]);
    delete rest[key];
    return encodeURIComponent(value);
  });
  return [filled, rest];
};

const query = (rest: Record<string, unknown>): string => {
  const given = Object.entries(rest).flatMap(([k, v]): [string, string][] => (v === undefined ? [] : [[k, String(v)]]));
  return given.length ? `?${new URLSearchParams(given)}` : '';
};

const send = async (o: Operation, baseUrl: string, { token, fetcher = fetch }: ClientOptions, input: object) => {
  const [path, rest] = fill(o.path, { ...input });
  const hasBody = o.method !== 'GET' && o.method !== 'DELETE';
  const response = await fetcher(`${baseUrl}/api/v1${path}${hasBody ? '' : query(rest)}`, {
    method: o.method,
    headers: {
      ...(hasBody && { 'content-type': 'application/json' }),
      ...(token && { authorization: `Bearer ${token}` }),
    },
    ...(hasBody && { body: JSON.stringify(rest) }),
  });
  if (!response.ok) throw await failure(response);
  return o.output.parse(await response.json());
};

/** Derives a typed client from declared operations. */
export const createCaller =
  <const A extends Groups>(groups: A) =>
  (baseUrl: string, options: ClientOptions = {}): ClientOf<A> => {
    const bind = (group: Record<string, Operation>) =>
      Object.fromEntries(
        Object.entries(group).map(([name, o]) => [name, (input: object) => send(o, baseUrl, options, input)]),
      );
    return Object.fromEntries(
      Object.entries(groups).map(([name, group]) => [name, bind(group)]),
    ) as unknown as ClientOf<A>;
  };
