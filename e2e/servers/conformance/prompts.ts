/** Prompts: plain, with arguments that can be completed, with contents, one that asks first. */
import { acceptedContent, completable, inputRequired } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { form } from './forms.ts';
import { PNG } from './say.ts';
import type { Fixture } from './server.ts';

const WORDS = ['paris', 'park', 'party', 'hello', 'world'];
const word = (description: string) =>
  completable(z.string().describe(description), (start) => WORDS.filter((each) => each.startsWith(start)));
const Context = z.object({ context: z.string() });

const user = <C>(content: C) => ({ role: 'user' as const, content });
const saying = (text: string) => user({ type: 'text' as const, text });

export const addPrompts = ({ server }: Fixture) => {
  server.registerPrompt('test_simple_prompt', { description: 'Takes nothing' }, () => ({
    messages: [saying('This is a simple prompt for testing.')],
  }));
  server.registerPrompt(
    'test_prompt_with_arguments',
    {
      description: 'Takes two words',
      argsSchema: z.object({ arg1: word('First test argument'), arg2: word('Second test argument') }),
    },
    ({ arg1, arg2 }) => ({ messages: [saying(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)] }),
  );
  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description: 'Holds a resource', argsSchema: z.object({ resourceUri: z.string() }) },
    ({ resourceUri: uri }) => {
      const resource = { uri, mimeType: 'text/plain', text: 'Embedded resource content for testing.' };
      return {
        messages: [user({ type: 'resource', resource }), saying('Please process the embedded resource above.')],
      };
    },
  );
  server.registerPrompt('test_prompt_with_image', { description: 'Holds an image' }, () => ({
    messages: [user({ type: 'image', data: PNG, mimeType: 'image/png' }), saying('Please analyze the image above.')],
  }));
  server.registerPrompt('test_input_required_result_prompt', { description: 'Asks first' }, ({ mcpReq }) => {
    const answer = acceptedContent(mcpReq.inputResponses, 'user_context', Context);
    if (answer) return { messages: [saying(answer.context)] };
    const question = form('What context should the prompt use?', { context: { type: 'string' } });
    return inputRequired({ inputRequests: { user_context: question } });
  });
};
