import type {
  Admitted,
  Arrival,
  Ask,
  Call,
  Caller,
  Capability,
  ClearedCall,
  Client,
  Decision,
  Failed,
  Outcome,
  Refused,
} from './call.ts';

/** What is learnt on the way and belongs in the record. */
type Facts = { capability?: Capability; rule?: string };
type Note = (facts: Facts) => void;

/** What each stage owes the path: one verb each. */
export type Stages<Visible> = {
  identity: {
    identify(arrival: Arrival): Promise<Caller | Refused>;
    /** The same caller with today's permissions, or the reason why no more. */
    current(caller: Caller, endpoint: string): Promise<Caller | Refused>;
  };
  session: { client(arrival: Arrival, caller: Caller): Client | Refused | Promise<Client | Refused> };
  catalog: {
    view(admitted: Admitted): Promise<Visible>;
    /** The call that was asked for, under the server's own names. */
    resolve(ask: Ask, admitted: Admitted): Promise<Call | Refused | Failed>;
    present(call: Call, outcome: Outcome): Outcome;
  };
  tasks: {
    /** The call about a task of the caller's own. */
    resolve(ask: Ask, admitted: Admitted): Promise<Call | Refused>;
    /** What can be said of the task without asking its server. */
    settled(call: Call): Outcome | undefined;
    /** An outcome under the client's own handle; a new task is kept. */
    present(call: Call, outcome: Outcome): Promise<Outcome>;
    /** The caller's own, each as `look` finds it. */
    list(ask: Ask, admitted: Admitted, look: (call: Call) => Promise<Outcome>): Promise<Outcome>;
  };
  policy: { decide(call: Call): Decision };
  downstream: { send(call: ClearedCall): Promise<Outcome> };
  audit: {
    refusedAtDoor(arrival: Arrival, refused: Refused): Promise<void>;
    recorded(ask: Ask, admitted: Admitted, run: (note: Note) => Promise<Outcome>): Promise<Outcome>;
  };
};

/** The product in one screen: everything a client asks, in every era, takes this path. */
export const createPath = <Visible>(stages: Stages<Visible>) => {
  const { identity, session, catalog, tasks, policy, downstream, audit } = stages;

  /** The call that was asked for, or why there is none. */
  const resolve = (ask: Ask, admitted: Admitted): Promise<Call | Refused | Failed> =>
    ask.task?.kind === 'about' ? tasks.resolve(ask, admitted) : catalog.resolve(ask, admitted);

  const run = async (call: Call, note: Note): Promise<Outcome> => {
    note({ capability: call.capability });
    const decision = policy.decide(call);
    note({ rule: decision.rule });
    if (decision.kind !== 'cleared') return decision;
    const settled = tasks.settled(call);
    if (settled) return settled;
    return tasks.present(call, catalog.present(call, await downstream.send(decision.call)));
  };

  return {
    /** Who is asking, with which client? */
    async admit(arrival: Arrival): Promise<Admitted | Refused> {
      const turnAway = async (refused: Refused) => {
        await audit.refusedAtDoor(arrival, refused);
        return refused;
      };
      const caller = await identity.identify(arrival);
      if ('code' in caller) return turnAway(caller);
      const client = await session.client(arrival, caller);
      if ('code' in client) return turnAway({ ...client, workspaceId: caller.workspaceId });
      const { bearer: _, ...rest } = arrival;
      return { ...rest, caller, client };
    },

    /** Is somebody who was let in earlier still welcome, and with which permissions? */
    async readmit(admitted: Admitted): Promise<Admitted | Refused> {
      const caller = await identity.current(admitted.caller, admitted.endpoint);
      return 'code' in caller ? caller : { ...admitted, caller };
    },

    /** What may this caller see? The same decision that `call` takes, used as a filter. */
    list: (admitted: Admitted): Promise<Visible> => catalog.view(admitted),

    /** Could it be done now? */
    async permits(ask: Ask, admitted: Admitted): Promise<boolean> {
      const call = await resolve(ask, admitted);
      return call.kind !== 'refused' && call.kind !== 'failed' && policy.decide(call).kind === 'cleared';
    },

    /** Do it, if it may be done. A call that cannot be recorded does not run. */
    call: (ask: Ask, admitted: Admitted): Promise<Outcome> =>
      audit.recorded(ask, admitted, async (note) => {
        if (ask.method === 'tasks/list') return tasks.list(ask, admitted, (call) => run(call, () => {}));
        const call = await resolve(ask, admitted);
        return call.kind === 'refused' || call.kind === 'failed' ? call : run(call, note);
      }),
  };
};
