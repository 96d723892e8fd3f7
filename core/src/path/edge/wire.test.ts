import { expect, test } from 'vitest';
import type { Ask, Failed, Json } from '#call';
import { CODE, failedError } from './wire.ts';

const failed = (code: number, data?: Json): Failed => ({
  kind: 'failed',
  error: { code, message: 'as it said', data },
});
const asking = (kind: Ask['kind']): Ask => ({
  callId: 'c',
  requestId: 1,
  method: 'resources/read',
  kind,
  exposedName: 'shown://it',
  params: {},
  notify: () => {},
  signal: new AbortController().signal,
});

test.each([
  ['the code of 2025-11-25', failed(-32002)],
  ['the URI as the data', failed(-32602, { uri: 'own://it' })],
])('that a resource is not there, said by %s, is said in the words of the client', (_how, outcome) => {
  for (const code of [CODE.resourceNotFound, CODE.invalidParams])
    expect(failedError(outcome, asking('resource'), code)).toEqual({
      code,
      message: 'as it said',
      data: { uri: 'shown://it' },
    });
});

test.each([failed(-32602), failed(-32602, ['uri']), failed(-32000, { uri: 'x' })])(
  'any other error stays as it is: %j',
  (outcome) => {
    expect(failedError(outcome, asking('resource'), CODE.resourceNotFound)).toEqual(outcome.error);
  },
);

test('the errors of tools are not about resources', () => {
  const outcome = failed(-32002, { uri: 'own://it' });
  expect(failedError(outcome, asking('tool'), CODE.invalidParams)).toEqual(outcome.error);
});
