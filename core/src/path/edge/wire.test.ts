import { expect, test } from 'vitest';
import type { Failed, Json } from '#call';
import { CODE, failedError } from './wire.ts';

const failed = (code: number, data?: Json): Failed => ({
  kind: 'failed',
  error: { code, message: 'as it said', data },
});

test.each([
  ['the code of 2025-11-25', failed(-32002)],
  ['the URI as the data', failed(-32602, { uri: 'own://it' })],
])('that a resource is not there, said by %s, is said in the words of the client', (_how, outcome) => {
  for (const code of [CODE.resourceNotFound, CODE.invalidParams])
    expect(failedError(outcome, 'shown://it', code)).toEqual({
      code,
      message: 'as it said',
      data: { uri: 'shown://it' },
    });
});

test.each([
  failed(-32602),
  failed(-32602, { uri: 'x', why: 1 }),
  failed(-32602, ['uri']),
  failed(-32000, { uri: 'x' }),
])('any other error stays as it is: %j', (outcome) => {
  expect(failedError(outcome, 'shown://it', CODE.resourceNotFound)).toEqual(outcome.error);
});
