import { expect, test } from 'vitest';
import type { JsonObject } from '#call';
import { canBeAsked, mayAsk, questionsIn } from './questions.ts';

const FORM = { method: 'elicitation/create', params: {} };
const URL = { method: 'elicitation/create', params: { mode: 'url' } };
const SAMPLING = { method: 'sampling/createMessage', params: {} };
const ROOTS = { method: 'roots/list', params: {} };

test.each<[JsonObject, (typeof FORM)[]]>([
  [{}, []],
  [{ elicitation: {} }, [FORM]],
  [{ elicitation: { form: {} } }, [FORM]],
  [{ elicitation: { url: {} } }, [URL]],
  [{ elicitation: { form: {}, url: {} } }, [FORM, URL]],
  [{ sampling: {} }, [SAMPLING]],
  [{ roots: { listChanged: true } }, [ROOTS]],
  [{ elicitation: true, sampling: 'yes', roots: null }, []],
  [{ tools: {}, tasks: {} }, []],
])('a client that declares %j is asked what it declared and nothing else', (capabilities, expected) => {
  const asked = [FORM, URL, SAMPLING, ROOTS, { method: 'ping', params: {} }];
  expect(asked.filter((question) => mayAsk(capabilities, question))).toEqual(expected);
  expect(canBeAsked(capabilities)).toBe(expected.length > 0);
});

test('questions are read from an answer as they stand, and none from what is no map of questions', () => {
  expect(questionsIn({ a: { method: 'roots/list' }, b: SAMPLING })).toEqual({ a: ROOTS, b: SAMPLING });
  expect(questionsIn(undefined)).toEqual({});
  expect(questionsIn({ a: { params: {} } })).toBeUndefined();
  expect(questionsIn({ a: 'roots/list' })).toBeUndefined();
});
