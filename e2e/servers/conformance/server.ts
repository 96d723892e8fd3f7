/** One connection's server, with everything on it. */
import { McpServer, type Transport } from '@modelcontextprotocol/server';
import { addChangeTools, addGrown } from './changes.ts';
import { addLifeTools } from './life.ts';
import { addInputRequiredTools } from './mrtr.ts';
import { addPrompts } from './prompts.ts';
import { addQuestions } from './questions.ts';
import { recordMessages } from './record.ts';
import { addResources } from './resources.ts';
import { addTaskTools } from './tasks/tools.ts';
import { takeTaskMessages } from './tasks/wire.ts';
import { addTools } from './tools.ts';
import type { Change, World } from './world.ts';

export type Era = 'legacy' | 'modern';

/** What each group of tools is added to. */
export type Fixture = { server: McpServer; world: World; era: Era };

const TASKS = {
  legacy: { tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } } },
  modern: { extensions: { 'io.modelcontextprotocol/tasks': {} } },
};

const groups = [
  addTools,
  addChangeTools,
  addLifeTools,
  addQuestions,
  addInputRequiredTools,
  addTaskTools,
  addResources,
  addPrompts,
];

/** Makes a server that speaks one era and shares `world` with all others. */
export const createFixture = (world: World, era: Era): McpServer => {
  const server = new FixtureServer(world, era);
  for (const add of groups) add({ server, world, era });
  for (const name of world.grown.tool) addGrown(server, { kind: 'tool', name });
  for (const name of world.grown.prompt) addGrown(server, { kind: 'prompt', name });
  return server;
};

class FixtureServer extends McpServer {
  readonly #world: World;
  readonly #era: Era;
  readonly #subscribed = new Set<string>();

  constructor(world: World, era: Era) {
    super(
      { name: 'conformance', title: 'Conformance fixture', version: '1.0.0' },
      {
        instructions: 'Each tool shows one thing that a server may do.',
        capabilities: {
          tools: { listChanged: true },
          prompts: { listChanged: true },
          resources: { listChanged: true, subscribe: true },
          completions: {},
          logging: {},
          ...TASKS[era],
        },
        cacheHints: { 'resources/templates/list': { ttlMs: 5000, cacheScope: 'public' } },
        requestState: { verify: world.states.verify },
      },
    );
    this.#world = world;
    this.#era = era;
    if (era === 'legacy') this.#subscriptions();
  }

  /** Tasks are answered before the SDK, which does not know them, sees the message. */
  override async connect(transport: Transport) {
    await super.connect(transport);
    takeTaskMessages(transport, this.#world.tasks, this.#era);
    recordMessages(transport, this.#world.record);
    const leave = this.#world.listen((change) => this.#pass(change));
    const closed = this.server.onclose;
    this.server.onclose = () => {
      leave();
      closed?.();
    };
  }

  #subscriptions() {
    this.server.setRequestHandler('resources/subscribe', ({ params }) => {
      this.#subscribed.add(params.uri);
      return {};
    });
    this.server.setRequestHandler('resources/unsubscribe', ({ params }) => {
      this.#subscribed.delete(params.uri);
      return {};
    });
  }

  /** In the modern era the listening stream knows what was subscribed. */
  #pass(change: Change) {
    if (change.kind !== 'updated') addGrown(this, change);
    else if (this.#era === 'modern' || this.#subscribed.has(change.uri))
      this.server.sendResourceUpdated({ uri: change.uri }).catch(() => undefined);
  }
}
