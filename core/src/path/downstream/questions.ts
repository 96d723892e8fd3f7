import type { JsonObject, Question } from '#call';
import { asObject } from './errors.ts';

/** What a client must have declared to be asked this; undefined for what no client can be asked. */
const needed = ({ method, params }: Question): readonly string[] | undefined => {
  switch (method) {
    case 'elicitation/create':
      return params.mode === 'url' ? ['elicitation', 'url'] : ['elicitation', 'form'];
    case 'sampling/createMessage':
      return ['sampling'];
    case 'roots/list':
      return ['roots'];
    default:
      return undefined;
  }
};

/** May a client with these capabilities be asked this? An empty `elicitation` means forms, as it did at first. */
export const mayAsk = (capabilities: JsonObject, question: Question): boolean => {
  const [kind, mode] = needed(question) ?? [];
  const declared = kind === undefined ? undefined : asObject(capabilities[kind]);
  if (!declared) return false;
  if (mode === undefined || declared[mode] !== undefined) return true;
  return mode === 'form' && declared.url === undefined;
};

/** Can a client with these capabilities be asked anything? */
export const canBeAsked = ({ elicitation, sampling, roots }: JsonObject): boolean =>
  [elicitation, sampling, roots].some((declared) => asObject(declared) !== undefined);

/** The questions in a server's answer, or undefined when they are none that a client can be asked. */
export const questionsIn = (inputRequests: unknown): Record<string, Question> | undefined => {
  const questions: Record<string, Question> = {};
  for (const [key, value] of Object.entries(asObject(inputRequests) ?? {})) {
    const { method, params } = asObject(value) ?? {};
    if (typeof method !== 'string') return undefined;
    questions[key] = { method, params: asObject(params) ?? {} };
  }
  return questions;
};
