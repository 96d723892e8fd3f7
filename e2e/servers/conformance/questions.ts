/**
 * Tools that ask the client something. Each is written once: it returns its questions until it has the answers. In the
 * legacy era the SDK asks them as requests to the client during the call, in the modern era the client repeats the call.
 */
import { randomUUID } from 'node:crypto';
import {
  type InputRequest,
  inputRequired,
  inputResponse,
  UrlElicitationRequiredError,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { DEFAULTS, ENUMS, form, said, sample } from './forms.ts';
import { json, log, progress, text } from './say.ts';
import type { Fixture } from './server.ts';
import type { State } from './world.ts';

export const addQuestions = (fixture: Fixture) => {
  addForms(fixture);
  addSampling(fixture);
  addUrl(fixture);
  addNeededUrl(fixture);
  addRoots(fixture);
  addAll(fixture);
  addMarked(fixture);
};

const addForms = ({ server }: Fixture) => {
  const forms = {
    test_elicitation_sep1034_defaults: form('Check what is filled in', DEFAULTS, []),
    test_elicitation_sep1330_enums: form('Choose', ENUMS, []),
  };
  for (const [name, question] of Object.entries(forms))
    server.registerTool(name, { description: 'Asks with a form' }, ({ mcpReq }) => {
      const answer = inputResponse(mcpReq.inputResponses, 'form');
      if (answer.kind !== 'elicit') return inputRequired({ inputRequests: { form: question } });
      return text(`Elicitation completed: action=${answer.action}, content=${JSON.stringify(answer.content ?? {})}`);
    });
  server.registerTool(
    'test_elicitation',
    { description: 'Asks the user what it is told to ask', inputSchema: z.object({ message: z.string() }) },
    ({ message }, { mcpReq }) => {
      const answer = inputResponse(mcpReq.inputResponses, 'user');
      if (answer.kind === 'elicit')
        return text(`User response: action=${answer.action}, content=${JSON.stringify(answer.content ?? {})}`);
      const user = form(message, {
        username: { type: 'string', description: "User's response" },
        email: { type: 'string', description: "User's email address" },
      });
      return inputRequired({ inputRequests: { user } });
    },
  );
};

const addSampling = ({ server }: Fixture) => {
  server.registerTool(
    'test_sampling',
    { description: "Asks the client's model", inputSchema: z.object({ prompt: z.string() }) },
    ({ prompt }, { mcpReq }) => {
      const answer = inputResponse(mcpReq.inputResponses, 'model');
      if (answer.kind === 'sampling') return text(`LLM response: ${said(answer.result)}`);
      return inputRequired({ inputRequests: { model: sample(prompt) } });
    },
  );
  server.registerTool('test_missing_capability', { description: "Needs the client's model" }, ({ mcpReq }) => {
    const answer = inputResponse(mcpReq.inputResponses, 'model');
    if (answer.kind === 'sampling') return text(said(answer.result));
    return inputRequired({ inputRequests: { model: sample('Say anything') } });
  });
};

/** The id of the question exists in the legacy era only; there the client is told when the page was done with. */
const addUrl = ({ server, world, era }: Fixture) => {
  server.registerTool(
    'ask_url',
    { description: 'Sends the user to a page', inputSchema: z.object({ url: z.url() }) },
    async ({ url }, { mcpReq }) => {
      const elicitationId = mcpReq.requestState<State>()?.note ?? randomUUID();
      const answer = inputResponse(mcpReq.inputResponses, 'page');
      if (answer.kind !== 'elicit') {
        const params = { message: 'Open this page', url, ...(era === 'legacy' && { elicitationId }) };
        return inputRequired({
          inputRequests: { page: inputRequired.elicitUrl(params) },
          requestState: await world.states.mint({ tool: 'ask_url', note: elicitationId }),
        });
      }
      if (era === 'legacy' && answer.action === 'accept')
        await mcpReq.notify({ method: 'notifications/elicitation/complete', params: { elicitationId } });
      return json({ url, action: answer.action });
    },
  );
};

/** How long a user is at a page. */
const VISIT_MS = 300;

/** In the legacy era the call itself is refused until the user has been at the page, and then the client is told. */
const addNeededUrl = ({ server, era }: Fixture) => {
  const visited = new Set<string>();
  const visit = (url: string, elicitationId: string) => {
    visited.add(url);
    const told = server.server.notification({
      method: 'notifications/elicitation/complete',
      params: { elicitationId },
    });
    told.catch(() => undefined);
  };
  server.registerTool(
    'need_url',
    { description: 'Refuses before the user has been at a page', inputSchema: z.object({ url: z.url() }) },
    ({ url }, { mcpReq }) => {
      const params = { message: 'Open this page first', url };
      if (era === 'legacy' && !visited.has(url)) {
        const elicitationId = randomUUID();
        setTimeout(() => visit(url, elicitationId), VISIT_MS);
        throw new UrlElicitationRequiredError([{ ...params, mode: 'url', elicitationId }]);
      }
      if (era === 'legacy') return json({ url, action: 'accept' });
      const answer = inputResponse(mcpReq.inputResponses, 'page');
      if (answer.kind === 'elicit') return json({ url, action: answer.action });
      return inputRequired({ inputRequests: { page: inputRequired.elicitUrl(params) } });
    },
  );
};

const addRoots = ({ server }: Fixture) => {
  server.registerTool('ask_roots', { description: "Asks for the client's roots" }, ({ mcpReq }) => {
    const answer = inputResponse(mcpReq.inputResponses, 'roots');
    if (answer.kind === 'roots') return json({ roots: answer.roots });
    return inputRequired({ inputRequests: { roots: inputRequired.listRoots() } });
  });
};

const addAll = ({ server }: Fixture) => {
  const inputRequests: Record<string, InputRequest> = {
    user: form('What is your name?', { name: { type: 'string' } }),
    model: sample('Greet somebody'),
    roots: inputRequired.listRoots(),
  };
  server.registerTool('ask_all', { description: 'Asks the user, the model and for roots at once' }, ({ mcpReq }) => {
    const [user, model, roots] = ['user', 'model', 'roots'].map((key) => inputResponse(mcpReq.inputResponses, key));
    if (user?.kind !== 'elicit' || model?.kind !== 'sampling' || roots?.kind !== 'roots')
      return inputRequired({ inputRequests });
    const { action, content } = user;
    return json({ user: { action, content }, model: said(model.result), roots: roots.roots });
  });
};

/** Everything that this call sends carries the marker, so that a stray message shows whose it is. */
const addMarked = ({ server, world }: Fixture) => {
  server.registerTool(
    'marked',
    { description: 'Reports, logs and asks with a marker', inputSchema: z.object({ marker: z.string() }) },
    async ({ marker }, ctx) => {
      const answer = inputResponse(ctx.mcpReq.inputResponses, 'marked');
      if (answer.kind === 'elicit') {
        const asked = ctx.mcpReq.requestState<State>()?.note;
        return json({ marker, asked, action: answer.action, content: answer.content });
      }
      await progress(ctx, { progress: 1, total: 2, message: marker });
      await log(ctx, marker);
      return inputRequired({
        inputRequests: { marked: form(marker, { answer: { type: 'string', description: marker } }) },
        requestState: await world.states.mint({ tool: 'marked', note: marker }),
      });
    },
  );
};
