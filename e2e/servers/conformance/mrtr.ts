/** The suite's tools for questions in rounds. */
import {
  acceptedContent,
  CLIENT_CAPABILITIES_META_KEY,
  type InputRequest,
  inputRequired,
  inputResponse,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { form, said, sample } from './forms.ts';
import { text } from './say.ts';
import type { Fixture } from './server.ts';
import type { State } from './world.ts';

const Name = z.object({ name: z.string() });
const Colour = z.object({ color: z.string() });
const Envelope = z.looseObject({ [CLIENT_CAPABILITIES_META_KEY]: z.record(z.string(), z.unknown()) });
const Sure = z.object({ ok: z.boolean() });

const whoAreYou = form('What is your name?', { name: { type: 'string' } });
const areYouSure = form('Please confirm', { ok: { type: 'boolean' } });

export const addInputRequiredTools = (fixture: Fixture) => {
  addSingle(fixture);
  addMany(fixture);
  addRounds(fixture);
  for (const name of ['request_state', 'tampered_state']) addState(fixture, `test_input_required_result_${name}`);
  addCapabilities(fixture);
};

const addSingle = ({ server }: Fixture) => {
  server.registerTool('test_input_required_result_elicitation', { description: 'Asks for a name' }, ({ mcpReq }) => {
    const user = acceptedContent(mcpReq.inputResponses, 'user_name', Name);
    return user ? text(`Hello, ${user.name}!`) : inputRequired({ inputRequests: { user_name: whoAreYou } });
  });
  server.registerTool('test_input_required_result_sampling', { description: 'Asks the model' }, ({ mcpReq }) => {
    const answer = inputResponse(mcpReq.inputResponses, 'capital_question');
    if (answer.kind === 'sampling') return text(said(answer.result));
    return inputRequired({ inputRequests: { capital_question: sample('What is the capital of France?') } });
  });
  server.registerTool('test_input_required_result_list_roots', { description: 'Asks for roots' }, ({ mcpReq }) => {
    const answer = inputResponse(mcpReq.inputResponses, 'client_roots');
    if (answer.kind === 'roots') return text(answer.roots.map(({ uri }) => uri).join('\n'));
    return inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } });
  });
};

const addMany = ({ server, world }: Fixture) => {
  const tool = 'test_input_required_result_multiple_inputs';
  server.registerTool(tool, { description: 'Asks three questions at once' }, async ({ mcpReq }) => {
    const user = acceptedContent(mcpReq.inputResponses, 'user_name', Name);
    const greeting = inputResponse(mcpReq.inputResponses, 'greeting');
    const roots = inputResponse(mcpReq.inputResponses, 'client_roots');
    if (user && greeting.kind === 'sampling' && roots.kind === 'roots' && isFrom(tool, mcpReq))
      return text(`${said(greeting.result)}, ${user.name} of ${roots.roots.length} roots`);
    return inputRequired({
      inputRequests: {
        user_name: whoAreYou,
        greeting: sample('Generate a greeting', 50),
        client_roots: inputRequired.listRoots(),
      },
      requestState: await world.states.mint({ tool }),
    });
  });
};

/** What was answered in the first round is remembered in the state alone. */
const addRounds = ({ server, world }: Fixture) => {
  const tool = 'test_input_required_result_multi_round';
  const ask = async (inputRequests: Record<string, InputRequest>, state: Omit<State, 'tool'>) =>
    inputRequired({ inputRequests, requestState: await world.states.mint({ tool, ...state }) });
  server.registerTool(tool, { description: 'Asks twice' }, async ({ mcpReq }) => {
    const state = isFrom(tool, mcpReq) ? mcpReq.requestState<State>() : undefined;
    const name = state?.note ?? acceptedContent(mcpReq.inputResponses, 'step1', Name)?.name;
    if (!state || name === undefined)
      return ask({ step1: form('Step 1: What is your name?', { name: { type: 'string' } }) }, { round: 1 });
    const colour = acceptedContent(mcpReq.inputResponses, 'step2', Colour)?.color;
    if (state.round !== 2 || colour === undefined)
      return ask(
        { step2: form('Step 2: What is your favorite color?', { color: { type: 'string' } }) },
        { round: 2, note: name },
      );
    return text(`${name} likes ${colour}`);
  });
};

/** State that does not verify never reaches a tool. */
const addState = ({ server, world }: Fixture, tool: string) => {
  server.registerTool(tool, { description: 'Asks and seals its state' }, async ({ mcpReq }) => {
    const sure = acceptedContent(mcpReq.inputResponses, 'confirm', Sure);
    if (sure && isFrom(tool, mcpReq)) return text('state-ok');
    return inputRequired({ inputRequests: { confirm: areYouSure }, requestState: await world.states.mint({ tool }) });
  });
};

const addCapabilities = ({ server }: Fixture) => {
  const questions: [string, string, InputRequest][] = [
    ['elicitation', 'user_name', whoAreYou],
    ['sampling', 'greeting', sample('Generate a greeting')],
    ['roots', 'client_roots', inputRequired.listRoots()],
  ];
  server.registerTool(
    'test_input_required_result_capabilities',
    { description: 'Asks only what the client can answer' },
    (ctx) => {
      const declared = capabilitiesOf(server, ctx);
      const asked = questions.filter(([capability]) => declared[capability] !== undefined);
      const answered = Object.keys(ctx.mcpReq.inputResponses ?? {});
      if (asked.every(([, key]) => answered.includes(key))) return text(`answered: ${answered.join(', ')}`);
      return inputRequired({ inputRequests: Object.fromEntries(asked.map(([, key, question]) => [key, question])) });
    },
  );
};

/** The request's own capabilities, or those that the connection began with. */
const capabilitiesOf = (server: McpServer, { mcpReq }: ServerContext): Record<string, unknown> => {
  const envelope = Envelope.safeParse(mcpReq.envelope);
  if (envelope.success) return envelope.data[CLIENT_CAPABILITIES_META_KEY];
  return { ...server.server.getClientCapabilities() };
};

/** Whether the state was made by this tool, not by another one. */
const isFrom = (tool: string, mcpReq: ServerContext['mcpReq']) => mcpReq.requestState<State>()?.tool === tool;
