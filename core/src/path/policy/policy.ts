import type { Call, Decision, ServerRecord } from '#call';
import { clear } from '#clear';
import { networkOf } from '#lib/network';
import type { RateLimit } from '#lib/rate-limit';
import { allows, dangerLevel } from './layers.ts';

type Options = {
  server(workspaceId: string, serverId: string): ServerRecord | undefined;
  /** Counts the calls of those who have no token. */
  take: RateLimit;
};

/** Decides a call by the layers. What they hide is refused as if it were not there. */
export const createPolicy = ({ server, take }: Options) => ({
  decide(call: Call): Decision {
    const { caller, client, capability } = call;
    const isAboutTask = call.task?.kind === 'about';
    // Whoever lost a tool has lost its tasks, and is told no more than of a task that never was.
    const code = isAboutTask ? 'unknown-task' : 'unknown-capability';
    const record = server(caller.workspaceId, capability.serverId);
    if (!record)
      return {
        kind: 'refused',
        code,
        rule: 'none',
        reason: `There is no server ${capability.serverId}.`,
      };
    const verdict = allows(record, caller, client.name, capability.kind, capability.name);
    if (!verdict.allowed) return { kind: 'refused', code, rule: `layer:${verdict.layer}`, reason: verdict.reason };
    const limit = record.anonymousRateLimit;
    if (
      caller.kind === 'anonymous' &&
      !take(`${caller.workspaceId}/${record.serverId} ${networkOf(call.address)}`, limit)
    )
      return {
        kind: 'refused',
        code: 'rate-limited',
        rule: 'anonymous-limit',
        reason: `Without a token ${record.serverId} takes ${limit} requests a minute from one address: wait a minute, or use a token.`,
      };
    // A task runs already: what is asked about it needs no approval of its own.
    if (!isAboutTask && capability.kind === 'tool' && dangerLevel(record, caller, client.name, capability.name) === 2)
      return {
        kind: 'refused',
        code: 'needs-approval',
        rule: 'danger-level',
        reason: `The tool ${capability.name} of ${capability.serverId} may only run with a person's approval, which this Peta cannot ask for yet. It was not run.`,
      };
    return { ...clear(call), rule: 'layers' };
  },
});
