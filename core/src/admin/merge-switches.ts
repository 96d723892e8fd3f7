import type { Switch, Switches, SwitchesChange } from '@peta/api';

type Change = NonNullable<SwitchesChange['tools']>[string];

const own = <T>(record: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined;

const mergeSwitch = (before: Switch | undefined, { enabled, description, dangerLevel }: Change): Switch => ({
  ...before,
  enabled: enabled ?? before?.enabled ?? true,
  ...(description !== undefined && { description }),
  ...(dangerLevel !== undefined && { dangerLevel }),
});

const mergeAll = (before: Record<string, Switch> = {}, more: Record<string, Change> = {}): Record<string, Switch> => ({
  ...before,
  ...Object.fromEntries(Object.entries(more).map(([name, change]) => [name, mergeSwitch(own(before, name), change)])),
});

/** A layer with a part of it changed: what the change leaves out, down to a single switch's field, stays as it was. */
export const mergeSwitches = (before: Switches, more: SwitchesChange): Switches => ({
  enabled: more.enabled ?? before.enabled,
  tools: mergeAll(before.tools, more.tools),
  resources: mergeAll(before.resources, more.resources),
  prompts: mergeAll(before.prompts, more.prompts),
});
