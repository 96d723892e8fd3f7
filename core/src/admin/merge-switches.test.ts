import { expect, test } from 'vitest';
import { mergeSwitches } from './merge-switches.ts';

const before = {
  enabled: false,
  tools: { echo: { enabled: false, dangerLevel: 2 as const }, add: { enabled: true } },
  prompts: { sum: { enabled: true } },
};

test('what a change leaves out stays as it was, also whether all is on', () => {
  expect(mergeSwitches(before, {})).toEqual({ ...before, resources: {} });
});

test('a change of one field of one switch leaves its other fields', () => {
  const { tools, enabled } = mergeSwitches(before, {
    tools: { echo: { description: 'Says it' }, add: { dangerLevel: 1 } },
  });
  expect(enabled).toBe(false);
  expect(tools).toEqual({
    echo: { enabled: false, dangerLevel: 2, description: 'Says it' },
    add: { enabled: true, dangerLevel: 1 },
  });
});

test('what was not there before is on, unless the change says no', () => {
  const change = { enabled: true, resources: { 'a://b': { description: 'x' }, 'c://d': { enabled: false } } };
  expect(mergeSwitches(before, change)).toMatchObject({
    enabled: true,
    resources: { 'a://b': { enabled: true }, 'c://d': { enabled: false } },
  });
});

test('names that every object inherits are names like others', () => {
  const { tools } = mergeSwitches({ enabled: true }, { tools: { constructor: { dangerLevel: 1 as const } } });
  expect(Object.entries(tools ?? {})).toEqual([['constructor', { enabled: true, dangerLevel: 1 }]]);
});
