import type { Caller, JsonObject } from '#call';
import { changedMeanwhile } from './errors.ts';

/** Who asks, and from where. */
export type Asker = { caller: Caller; address: string };

/** What is written down of a change, or of the attempt. */
export type Change = {
  caller: Caller;
  address: string;
  operation: string;
  target: string | null;
  details: JsonObject;
  outcome: 'done' | 'refused' | 'failed';
  error?: string;
};

export type Ports = {
  /** Writes a change down, before its answer leaves. */
  changed(change: Change): Promise<void>;
  /** Tells every replica that a person is not what they were. */
  publish(change: { topic: 'user'; workspaceId: string; id: string }): Promise<void>;
  /** The address of this service, without a slash at its end. */
  base(): string;
};

/** A condition that a request makes about the version (RFC 7644 section 3.14). */
export type Condition = string | undefined;

/** Does the version fulfil the condition of If-Match or If-None-Match? */
export const isNamed = (condition: string, version: string): boolean => {
  const plain = (one: string) => one.trim().replace(/^W\//, '');
  return condition.trim() === '*' || condition.split(',').some((one) => plain(one) === plain(version));
};

/** Refuses where the resource is not the version that If-Match names any more. */
export const requireVersion = (condition: Condition, { meta }: JsonObject): void => {
  const { version } = meta as { version: string };
  if (condition !== undefined && !isNamed(condition, version)) throw changedMeanwhile();
};
