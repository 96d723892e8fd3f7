/** The questions themselves. */
import { type ElicitRequestFormParams, inputRequired } from '@modelcontextprotocol/server';

type Properties = ElicitRequestFormParams['requestedSchema']['properties'];

/** A form of which every field is required, if not said otherwise. */
export const form = (message: string, properties: Properties, required = Object.keys(properties)) =>
  inputRequired.elicit({ message, requestedSchema: { type: 'object', properties, required } });

/** One short answer from the client's model. */
export const sample = (prompt: string, maxTokens = 100) =>
  inputRequired.createMessage({ messages: [{ role: 'user', content: { type: 'text', text: prompt } }], maxTokens });

/** The text of a model's answer. */
export const said = ({ content }: { content: unknown }) => {
  const [first]: unknown[] = Array.isArray(content) ? content : [content];
  return typeof first === 'object' && first !== null && 'text' in first ? String(first.text) : JSON.stringify(content);
};

export const DEFAULTS: Properties = {
  name: { type: 'string', description: 'A name', default: 'John Doe' },
  age: { type: 'integer', description: 'An age in years', default: 30 },
  score: { type: 'number', description: 'A score', default: 95.5 },
  status: { type: 'string', description: 'A status', enum: ['active', 'inactive', 'pending'], default: 'active' },
  verified: { type: 'boolean', description: 'Whether it was verified', default: true },
};

const OPTIONS = ['option1', 'option2', 'option3'];
const titled = (word: string) =>
  ['First', 'Second', 'Third'].map((which, at) => ({ const: `value${at + 1}`, title: `${which} ${word}` }));

export const ENUMS: Properties = {
  untitledSingle: { type: 'string', description: 'One option', enum: OPTIONS },
  titledSingle: { type: 'string', description: 'One titled option', oneOf: titled('Option') },
  legacyEnum: {
    type: 'string',
    description: 'One option titled in the old way',
    enum: ['opt1', 'opt2', 'opt3'],
    enumNames: ['Option One', 'Option Two', 'Option Three'],
  },
  untitledMulti: { type: 'array', description: 'Some options', items: { type: 'string', enum: OPTIONS } },
  titledMulti: { type: 'array', description: 'Some titled options', items: { anyOf: titled('Choice') } },
};
