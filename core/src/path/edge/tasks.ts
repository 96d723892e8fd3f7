import { z } from 'zod';
import type { JsonObject } from '#call';
import { CODE, type WireError } from './wire.ts';

/** The extension by which both sides say that they know tasks, since 2026-07-28. */
export const TASKS = 'io.modelcontextprotocol/tasks';

const required = { extensions: { [TASKS]: {} } };

/** What a client that did not say that it knows tasks is told. */
export const missingTasks: WireError = {
  code: CODE.missingCapability,
  message: `Missing required client capability: ${TASKS}.`,
  data: { requiredCapabilities: required },
};

const Declared = z.looseObject({ extensions: z.looseObject({ [TASKS]: z.looseObject({}) }) });
const About = z.looseObject({ taskId: z.string().min(1) });
const Update = About.extend({ inputResponses: z.looseObject({}) });

export const knowsTasks = (capabilities: JsonObject): boolean => Declared.safeParse(capabilities).success;

/** Does the error say that the client must know tasks? */
export const isForTasksAlone = ({ code, data }: WireError): boolean =>
  code === CODE.missingCapability && z.looseObject({ requiredCapabilities: Declared }).safeParse(data).success;

/** Methods about a task: where its handle stands in the parameters. */
export const taskMethods: Readonly<Record<string, (params: JsonObject) => { kind: 'tool'; exposedName: string }>> = {
  'tasks/get': (params) => ({ kind: 'tool', exposedName: About.parse(params).taskId }),
  'tasks/result': (params) => ({ kind: 'tool', exposedName: About.parse(params).taskId }),
  'tasks/cancel': (params) => ({ kind: 'tool', exposedName: About.parse(params).taskId }),
  'tasks/update': (params) => ({ kind: 'tool', exposedName: Update.parse(params).taskId }),
  /** Of no era: listening goes on after the request that asked for it. */
  'tasks/listen': (params) => ({ kind: 'tool', exposedName: About.parse(params).taskId }),
  'tasks/list': () => ({ kind: 'tool', exposedName: '' }),
};
