/** Clients of both eras, made from the official SDKs, that can be asked. */
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { EVERYTHING, type Params, type Peer, type PeerOptions, type Result, type Said, willing } from './peer.ts';

const LOG_LEVEL = 'io.modelcontextprotocol/logLevel';
const TIMEOUT_MS = 100_000;

type Rest = { url: URL; about: { name: string; version: string }; requestInit: { headers: Record<string, string> } };
const readOptions = ({ url, token, name = 'peer' }: PeerOptions): Rest => ({
  url: new URL(url),
  about: { name, version: '1.0.0' },
  requestInit: { headers: { authorization: `Bearer ${token}` } },
});
const note = (list: Said[], { method, params }: { method: string; params?: unknown }): Params => {
  const content = (params ?? {}) as Params;
  list.push({ method, params: content });
  return content;
};
/** The SDKs type what they parse; a test looks at it as it came. */
const asResult = (value: unknown): Result => value as Result;

/** The official SDK 1.x. */
const connectLegacyPeer = async (options: PeerOptions): Promise<Peer> => {
  const { url, about, requestInit } = readOptions(options);
  const capabilities = options.capabilities ?? EVERYTHING;
  const client = new LegacyClient(about, { capabilities });
  const told: Said[] = [];
  const asked: Said[] = [];
  const answers = willing();
  // The SDK checks answers against the protocol, which is what a test wants of them.
  if (capabilities.elicitation)
    client.setRequestHandler(
      ElicitRequestSchema,
      async (request, { signal }) => (await answers.elicit(note(asked, request), signal)) as { action: 'accept' },
    );
  if (capabilities.sampling)
    client.setRequestHandler(
      CreateMessageRequestSchema,
      async (request) =>
        (await answers.sample(note(asked, request))) as {
          role: 'assistant';
          model: string;
          content: { type: 'text'; text: string };
        },
    );
  if (capabilities.roots)
    client.setRequestHandler(ListRootsRequestSchema, (request) => {
      note(asked, request);
      return { roots: answers.roots() };
    });
  client.fallbackNotificationHandler = async (notification) => void note(told, notification);
  const transport = new LegacyTransport(url, { requestInit });
  await client.connect(transport);
  const timed = { timeout: TIMEOUT_MS };
  return {
    era: '2025-11-25',
    answers,
    asked,
    told,
    call: async (name, args = {}, rest = {}) =>
      asResult(await client.callTool({ name, arguments: args }, undefined, { ...timed, ...rest })),
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    prompt: async (name, args) => asResult(await client.getPrompt({ name, ...(args && { arguments: args }) })),
    read: async (uri) => asResult(await client.readResource({ uri })),
    templates: async () => (await client.listResourceTemplates()).resourceTemplates.map((one) => one.uriTemplate),
    complete: async (ref, argument) =>
      (await client.complete({ ref: ref as { type: 'ref/prompt'; name: string }, argument })).completion.values,
    setLevel: async (level) => void (await client.setLoggingLevel(level)),
    async follow(uri) {
      if (uri === undefined) return async () => {};
      await client.subscribeResource({ uri });
      return async () => void (await client.unsubscribeResource({ uri }));
    },
    rootsChanged: () => client.sendRootsListChanged(),
    async close() {
      await transport.terminateSession().catch(() => {});
      await client.close();
    },
  };
};

/** The official SDK 2.x pinned to 2026-07-28. */
const connectModernPeer = async (options: PeerOptions): Promise<Peer> => {
  const { url, about, requestInit } = readOptions(options);
  const capabilities = options.capabilities ?? EVERYTHING;
  const client = new ModernClient(about, { capabilities, versionNegotiation: { mode: { pin: '2026-07-28' } } });
  const told: Said[] = [];
  const asked: Said[] = [];
  const answers = willing();
  if (capabilities.elicitation)
    client.setRequestHandler(
      'elicitation/create',
      async (request, { mcpReq }) =>
        (await answers.elicit(note(asked, request), mcpReq.signal)) as { action: 'accept' },
    );
  if (capabilities.sampling)
    client.setRequestHandler(
      'sampling/createMessage',
      async (request) =>
        (await answers.sample(note(asked, request))) as {
          role: 'assistant';
          model: string;
          content: { type: 'text'; text: string };
        },
    );
  if (capabilities.roots)
    client.setRequestHandler('roots/list', async (request) => {
      note(asked, request);
      return { roots: answers.roots() };
    });
  client.fallbackNotificationHandler = async (notification) => void note(told, notification);
  await client.connect(new ModernTransport(url, { requestInit }));
  const timed = { timeout: TIMEOUT_MS };
  let level: string | undefined;
  const meta = () => (level === undefined ? {} : { _meta: { [LOG_LEVEL]: level } });
  return {
    era: '2026-07-28',
    answers,
    asked,
    told,
    call: async (name, args = {}, rest = {}) =>
      asResult(await client.callTool({ name, arguments: args, ...meta() }, { ...timed, ...rest })),
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    prompt: async (name, args) => asResult(await client.getPrompt({ name, ...(args && { arguments: args }) })),
    read: async (uri) => asResult(await client.readResource({ uri })),
    templates: async () => (await client.listResourceTemplates()).resourceTemplates.map((one) => one.uriTemplate),
    complete: async (ref, argument) =>
      (await client.complete({ ref: ref as { type: 'ref/prompt'; name: string }, argument })).completion.values,
    setLevel: async (wanted) => {
      level = wanted;
    },
    async follow(uri) {
      const lists = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true };
      const subscription = await client.listen({
        ...lists,
        ...(uri !== undefined && { resourceSubscriptions: [uri] }),
      });
      return () => subscription.close();
    },
    rootsChanged: async () => {},
    close: () => client.close(),
  };
};

export const peers = [
  ['2025-11-25', connectLegacyPeer],
  ['2026-07-28', connectModernPeer],
] as const;
