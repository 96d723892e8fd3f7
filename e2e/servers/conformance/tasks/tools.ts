/** Tools that can be tasks. Without a task they do the same within the call. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  acceptedContent,
  inputRequired,
  inputResponse,
  ProtocolError,
  ProtocolErrorCode,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { form } from '../forms.ts';
import { json, text } from '../say.ts';
import type { Fixture } from '../server.ts';
import type { Run } from './tasks.ts';

type TaskTool = {
  description: string;
  inputSchema: z.ZodObject;
  support: 'optional' | 'required';
  /** Asks within the call, before there is a task; in the legacy era its task asks. */
  asksFirst?: boolean;
  run: (args: Record<string, unknown>) => Run;
};

const JOB_MS = 1000;

const Nothing = z.object({});
const Slow = z.object({ seconds: z.number().min(0), label: z.string().optional() });
const File = z.object({ filename: z.string() });
const Name = z.object({ name: z.string() });
const Waiting = z.object({ ms: z.int().min(0).default(0), ask: z.string().optional() });

const confirm = { confirm: { type: 'boolean' as const } };

export const taskTools: Record<string, TaskTool> = {
  slow_compute: {
    description: 'Takes some seconds',
    inputSchema: Slow,
    support: 'optional',
    run: (args) => async (_, signal) => {
      const { seconds, label } = Slow.parse(args);
      await sleep(seconds * 1000, undefined, { signal });
      return text(`${label ?? 'computed'} after ${seconds} s`);
    },
  },
  failing_job: {
    description: 'Fails after a second',
    inputSchema: Nothing,
    support: 'required',
    run: () => async (_, signal) => {
      await sleep(JOB_MS, undefined, { signal });
      return { ...text('the job failed'), isError: true };
    },
  },
  protocol_error_job: {
    description: 'Ends with an error of the protocol',
    inputSchema: Nothing,
    support: 'optional',
    run: () => async () => {
      throw new ProtocolError(ProtocolErrorCode.InternalError, 'the job broke');
    },
  },
  confirm_delete: {
    description: 'Asks before it deletes nothing',
    inputSchema: File,
    support: 'optional',
    run: (args) => async (answers) => {
      const { filename } = File.parse(args);
      const answer = inputResponse(answers, 'confirm');
      if (answer.kind !== 'elicit')
        return inputRequired({ inputRequests: { confirm: form(`Delete ${filename}?`, confirm) } });
      return text(`${filename}: ${answer.action}, ${JSON.stringify(answer.content ?? {})}`);
    },
  },
  multi_input: {
    description: 'Asks two questions at once',
    inputSchema: Nothing,
    support: 'optional',
    run: () => async (answers) => {
      const given = ['first', 'second'].map((key) => inputResponse(answers, key));
      if (given.every(({ kind }) => kind === 'elicit')) return text(JSON.stringify(given));
      return inputRequired({ inputRequests: { first: form('First?', confirm), second: form('Second?', confirm) } });
    },
  },
  test_tool_with_task: {
    description: 'Asks for a name, then becomes a task',
    inputSchema: Nothing,
    support: 'required',
    asksFirst: true,
    run: () => async (answers, signal) => {
      const user = acceptedContent(answers, 'user_name', Name);
      if (!user)
        return inputRequired({
          inputRequests: { user_name: form('What is your name?', { name: { type: 'string' } }) },
        });
      await sleep(JOB_MS, undefined, { signal });
      return text(`Hello, ${user.name}!`);
    },
  },
  legacy_task: {
    description: 'Waits, asks if told to, and answers',
    inputSchema: Waiting,
    support: 'optional',
    run: (args) => async (answers, signal) => {
      const { ms, ask } = Waiting.parse(args);
      const answer = inputResponse(answers, 'asked');
      if (answer.kind === 'missing') await sleep(ms, undefined, { signal });
      if (ask !== undefined && answer.kind !== 'elicit')
        return inputRequired({ inputRequests: { asked: form(ask, { answer: { type: 'string' } }) } });
      return json({ waited: ms, ...(answer.kind === 'elicit' && { action: answer.action, content: answer.content }) });
    },
  },
};

export const addTaskTools = ({ server }: Fixture) => {
  for (const [name, { description, inputSchema, support, run }] of Object.entries(taskTools)) {
    const tool = server.registerTool(name, { description, inputSchema }, (args, { mcpReq }) =>
      run(args)(mcpReq.inputResponses, mcpReq.signal),
    );
    tool.execution = { taskSupport: support };
  }
  server.registerTool('greet', { description: 'Greets, never as a task', inputSchema: Name }, ({ name }) =>
    text(`Hello, ${name}!`),
  );
};
