import { z } from 'zod';

const PROTOCOL_VERSION = 'io.modelcontextprotocol/protocolVersion';

const Shape = z.looseObject({
  id: z.union([z.string(), z.number(), z.null()]).optional(),
  method: z.string().optional(),
  params: z.looseObject({ _meta: z.looseObject({ [PROTOCOL_VERSION]: z.string().optional() }).optional() }).optional(),
  result: z.looseObject({ protocolVersion: z.unknown().optional() }).optional(),
  error: z.looseObject({ code: z.number(), message: z.string() }).optional(),
});

/** As much of a JSON-RPC message as a bridge must understand; the rest is passed on as it came. */
export type Message = z.output<typeof Shape>;
export type Id = Message['id'];

/** The same object, order of keys included, when it has the shape of a message. */
export const readMessage = (value: unknown): Message | undefined =>
  // The shape was checked just before; the parsed copy would order the keys anew.
  Shape.safeParse(value).success ? (value as Message) : undefined;

/** The revision a request names in its `_meta`: then it is stateless and belongs to no session. */
export const statedVersion = ({ params }: Message): string | undefined => params?._meta?.[PROTOCOL_VERSION];

export const isRequest = ({ id, method }: Message): boolean => id !== undefined && id !== null && method !== undefined;

/** Whether a message is the answer to the request of that id. */
export const answers = (message: Message, id: Id): boolean => message.method === undefined && message.id === id;

export const errorAnswer = (id: Id, code: number, message: string): Message => ({
  jsonrpc: '2.0',
  id: id ?? null,
  error: { code, message },
});
