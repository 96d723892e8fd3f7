/** Every pairing of an old or new client with an old or new server, over each transport of servers. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Behind, endServers, standBehind } from '../harness/behind.ts';
import { type Peer, textIn } from '../harness/peer.ts';
import { peers } from '../harness/peers.ts';
import { becomeOwner, cleanUp, startPeta, until } from '../harness/peta.ts';

type Pair = { client: Peer; server: Behind };
type Feature = (pair: Pair) => Promise<void>;

const servers = new Map<string, Behind>();
let token: string;
const open: Peer[] = [];

beforeAll(async () => {
  const peta = await startPeta();
  const owner = await becomeOwner(peta);
  token = owner.token;
  const behind = await Promise.all(
    (['legacy', 'modern'] as const).flatMap((era) =>
      (['stdio', 'http'] as const).map((transport) => standBehind(peta, owner.api, era, transport)),
    ),
  );
  for (const server of behind) servers.set(server.serverId, server);
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((peer) => peer.close()));
});
afterAll(async () => {
  endServers();
  await cleanUp();
});

const isLegacy = ({ era }: Peer): boolean => era === '2025-11-25';
const json = (result: Parameters<typeof textIn>[0]): unknown => JSON.parse(textIn(result));
let markers = 0;
const newMarker = (): string => {
  markers += 1;
  return `marker-${markers}`;
};
/** What the client was told under this method. */
const told = ({ told: all }: Peer, method: string) =>
  all.filter((one) => one.method === method).map(({ params }) => params);
const askedFor = ({ asked }: Peer): string[] => asked.map(({ method }) => method).sort();
const PAGE = 'https://example.org/page';

const features: Record<string, Feature> = {
  async tools({ client }) {
    expect(await client.tools()).toContain('test_simple_text');
    expect(textIn(await client.call('test_simple_text'))).toContain('simple text response');
    expect((await client.call('test_error_handling')).isError).toBe(true);
    const { content } = await client.call('test_multiple_content_types');
    expect(content?.map(({ type }) => type)).toEqual(['text', 'image', 'resource']);
    await expect(client.call('no_such_tool')).rejects.toMatchObject({ code: -32602 });
  },

  async progress({ client }) {
    const steps: unknown[] = [];
    await client.call('test_tool_with_progress', {}, { onprogress: (step) => void steps.push(step) });
    expect(steps).toEqual([0, 50, 100].map((done) => ({ progress: done, total: 100, message: `${done} of 100` })));
  },

  async cancellation({ client, server }) {
    const marker = newMarker();
    const leaving = new AbortController();
    const events = () => server.record().flatMap((one) => (one.marker === marker ? [one.event] : []));
    const call = client.call('wait', { marker }, { signal: leaving.signal }).catch(() => 'gave up');
    await until('the call has reached the server', async () => events().includes('waiting'));
    leaving.abort('enough');
    expect(await call).toBe('gave up');
    await until('the server is told', async () => events().includes('cancelled'), 5_000);
  },

  async logging({ client }) {
    const marker = newMarker();
    await client.setLevel('info');
    const lines = (level: string) => client.call('log_lines', { n: 3, marker, level });
    await lines('debug');
    await lines('info');
    await lines('error');
    await client.setLevel('error');
    await lines('info');
    await lines('error');
    const levels = told(client, 'notifications/message').map(({ level }) => level);
    expect(levels).toEqual(['info', 'error', 'error'].flatMap((level) => [level, level, level]));
    expect(told(client, 'notifications/message')[0]).toMatchObject({ data: { marker, line: 1 } });
  },

  async 'resources and templates'({ client }) {
    expect(await client.read('test://static-text')).toMatchObject({
      contents: [{ uri: 'test://static-text', text: expect.stringContaining('static text resource') }],
    });
    expect(await client.templates()).toEqual(['test://template/{id}/data']);
    const { contents } = await client.read('test://template/7/data');
    expect(contents).toMatchObject([{ uri: 'test://template/7/data', text: expect.stringContaining('"id":"7"') }]);
    const code = isLegacy(client) ? -32002 : -32602;
    await expect(client.read('test://nothing-here')).rejects.toMatchObject({ code });
  },

  async subscriptions({ client }) {
    const uri = 'test://watched-resource';
    const updates = () => told(client, 'notifications/resources/updated');
    const leave = await client.follow(uri);
    await client.call('touch', { uri: 'test://static-text' });
    await client.call('touch', { uri });
    await expect.poll(() => updates().map((params) => params.uri)).toEqual([uri]);
    await leave();
    await client.call('touch', { uri });
    await client.call('test_simple_text');
    expect(updates()).toHaveLength(1);
  },

  async prompts({ client }) {
    const { messages } = await client.prompt('test_prompt_with_arguments', { arg1: 'one', arg2: 'two' });
    expect(JSON.stringify(messages)).toContain("arg1='one', arg2='two'");
  },

  async 'prompts that ask'({ client }) {
    const { messages } = await client.prompt('test_input_required_result_prompt');
    expect(JSON.stringify(messages)).toContain('What context should the prompt use?');
    expect(askedFor(client)).toEqual(['elicitation/create']);
  },

  async completion({ client }) {
    const prompt = { type: 'ref/prompt', name: 'test_prompt_with_arguments' };
    expect(await client.complete(prompt, { name: 'arg1', value: 'par' })).toEqual(['paris', 'park', 'party']);
    const template = { type: 'ref/resource', uri: 'test://template/{id}/data' };
    expect(await client.complete(template, { name: 'id', value: '12' })).toEqual(['123', '124']);
  },

  async 'elicitation by form'({ client }) {
    const ask = () => client.call('test_elicitation', { message: 'Who?' });
    expect(textIn(await ask())).toContain('action=accept, content={"username":"Who?","email":"Who?"}');
    for (const action of ['decline', 'cancel']) {
      client.answers.elicit = () => ({ action });
      expect(textIn(await ask())).toContain(`action=${action}, content={}`);
    }
    expect(client.asked[0]?.params).toMatchObject({ message: 'Who?', requestedSchema: { type: 'object' } });
  },

  async 'elicitation by URL'({ client, server }) {
    expect(json(await client.call('ask_url', { url: PAGE }))).toEqual({ url: PAGE, action: 'accept' });
    const question = client.asked[0]?.params;
    expect(question).toMatchObject({ mode: 'url', url: PAGE });
    // The id of such a question is known to 2025-11-25 alone.
    expect(typeof question?.elicitationId).toBe(isLegacy(client) ? 'string' : 'undefined');
    const completed = told(client, 'notifications/elicitation/complete');
    if (isLegacy(client) && server.era === 'legacy')
      expect(completed).toEqual([{ elicitationId: question?.elicitationId }]);
    if (!isLegacy(client)) expect(completed).toEqual([]);
  },

  async 'a page that is needed first'({ client, server }) {
    const need = () => client.call('need_url', { url: PAGE });
    if (!isLegacy(client) || server.era === 'modern') {
      const result = await need();
      expect(json(result)).toEqual({ url: PAGE, action: 'accept' });
      expect(askedFor(client)).toEqual(['elicitation/create']);
      return;
    }
    const error = await need().then(
      () => undefined,
      (thrown: { code: number; data: { elicitations: { elicitationId: string }[] } }) => thrown,
    );
    expect(error).toMatchObject({ code: -32042, data: { elicitations: [{ mode: 'url', url: PAGE }] } });
    const { elicitationId } = error?.data.elicitations[0] ?? {};
    await expect.poll(() => told(client, 'notifications/elicitation/complete')).toEqual([{ elicitationId }]);
    expect(json(await need())).toEqual({ url: PAGE, action: 'accept' });
  },

  async sampling({ client }) {
    expect(textIn(await client.call('test_sampling', { prompt: 'Sing' }))).toMatch(/LLM response: to .*Sing/);
    expect(client.asked[0]).toMatchObject({ method: 'sampling/createMessage', params: { maxTokens: 100 } });
  },

  async roots({ client }) {
    client.answers.roots = () => [{ uri: 'file:///mine', name: 'mine' }];
    expect(json(await client.call('ask_roots'))).toEqual({ roots: [{ uri: 'file:///mine', name: 'mine' }] });
  },

  async 'several questions in one round'({ client }) {
    const result = json(await client.call('ask_all'));
    expect(result).toMatchObject({ user: { action: 'accept' }, model: expect.stringContaining('Greet') });
    expect(askedFor(client)).toEqual(['elicitation/create', 'roots/list', 'sampling/createMessage']);
  },

  async 'several rounds'({ client }) {
    const answers: Record<string, object> = { 'Step 1': { name: 'Ada' }, 'Step 2': { color: 'teal' } };
    client.answers.elicit = ({ message }) => ({ action: 'accept', content: answers[String(message).slice(0, 6)] });
    expect(textIn(await client.call('test_input_required_result_multi_round'))).toBe('Ada likes teal');
    expect(client.asked).toHaveLength(2);
  },

  async 'list changes'({ client }) {
    const leave = isLegacy(client) ? undefined : await client.follow();
    const grown = textIn(await client.call('grow'));
    await until('the client is told', async () => told(client, 'notifications/tools/list_changed').length > 0);
    await until('it is listed', async () => (await client.tools()).includes(grown));
    expect(textIn(await client.call(grown))).toBe(grown);
    await client.call('test_trigger_prompt_change');
    await until('the client is told', async () => told(client, 'notifications/prompts/list_changed').length > 0);
    await leave?.();
  },

  async 'resources that ask'({ client }) {
    const { contents } = await client.read('test://asking');
    expect(contents).toMatchObject([{ uri: 'test://asking', text: 'Why?' }]);
  },
};

const serverIds = ['legacy-stdio', 'legacy-http', 'modern-stdio', 'modern-http'];

describe.each(peers)('client of %s', (_era, connect) => {
  describe.each(serverIds)('server %s', (serverId) => {
    test.each(Object.entries(features))(
      '%s',
      async (_name, show) => {
        const server = servers.get(serverId);
        if (!server) throw new Error(`There is no server ${serverId}.`);
        const client = await connect({ url: server.url, token });
        open.push(client);
        await show({ client, server });
      },
      30_000,
    );
  });
});
