import type { DangerLevel, Permissions, Switches } from '@peta/api';

/** The values that travel the path. No era, transport or database is named here. */

export type Json = null | boolean | number | string | Json[] | JsonObject;
export type JsonObject = { [key: string]: Json | undefined };

/** The workspace that the first start makes. Whoever owns it runs the installation; addresses that name none mean it. */
export const FIRST_WORKSPACE = 'default';
/** What a token is confined to; null where it is not. */
export type Scope = {
  servers: readonly string[] | null;
  /** Paths of endpoints. */
  endpoints: readonly string[] | null;
  /** `serverId::name`, by the tools' own names. With them nothing else of a server may be used. */
  tools: readonly string[] | null;
  /** Names of operations, and the words `mcp` and `scim`. */
  operations: readonly string[] | null;
  /** Of servers; a server of no environment belongs to every one. */
  environments: readonly string[] | null;
  /** What an access token is for. */
  kinds: readonly CapabilityKind[] | null;
};

export const EVERYWHERE: Scope = {
  servers: null,
  endpoints: null,
  tools: null,
  operations: null,
  environments: null,
  kinds: null,
};

/** The person whose agent it is: it reaches no further than they do. */
export type AgentOwner = { userId: string; role: 1 | 2 | 3; permissions: Permissions };

/** Who is asking, and the layers that are theirs. */
export type Caller = {
  workspaceId: string;
  /**
   * `machine` holds the key in PETA_HOME: whoever can read that folder owns this Peta anyway. `anonymous` is anybody, at
   * an endpoint that lets them in.
   */
  kind: 'user' | 'machine' | 'anonymous';
  /** Null for the machine and for anybody. */
  userId: string | null;
  /** 1 owner, 2 administrator, 3 user. */
  role: 1 | 2 | 3;
  /** Operations by name that a role adds to what the number allows; null without such a role. */
  operations: readonly string[] | null;
  /** May do what `operations` names, and no other operation. */
  isAuditor: boolean;
  /** Of a person's agent, the person. */
  owner: AgentOwner | null;
  /** Null for the machine and for anybody. */
  tokenId: string | null;
  scope: Scope;
  /** When the token, the person or whose agent it is comes to an end, in milliseconds since the epoch; null for never. */
  endsAt: number | null;
  /** The administrator's layer for this person. */
  permissions: Permissions;
  /** The person's own layer, by client name. */
  preferences: Readonly<Record<string, Permissions>>;
};

/** The program that speaks for the caller, as it named itself. Never trusted for identity. */
export type Client = {
  name: string;
  version: string;
  capabilities: JsonObject;
};

/** Where a request came from and what it carried to prove who sent it. */
export type Arrival = {
  /** Path of the endpoint, such as /mcp. */
  endpoint: string;
  bearer: string | undefined;
  address: string;
  sessionId: string | undefined;
  /** What a sessionless request says of its client; undefined when the session knows. */
  client: Client | undefined;
};

/** A caller let in at the door, with the client it came with. The bearer stopped at identity. */
export type Admitted = Omit<Arrival, 'bearer' | 'client'> & { caller: Caller; client: Client };

export type CapabilityKind = 'tool' | 'resource' | 'prompt';

/** One thing of one server, under the server's own name for it (a URI for resources). */
export type Capability = { kind: CapabilityKind; serverId: string; name: string };

/** What a server wants of the client while it works on a call: elicitation, sampling, roots. */
export type Question = { method: string; params: JsonObject };
export type RpcFailure = { code: number; message: string; data?: Json | undefined };
/** What the client said to a question: a result, or the error it answered with. */
export type Reply = { result: JsonObject } | { error: RpcFailure };

/** The second attempt of a call whose first was answered with questions. */
export type Retry = {
  /** What the first answer gave to be handed back, opaque and not to be trusted. */
  state: string | undefined;
  /** Results by the keys of the questions; empty when the state alone came back. */
  responses: JsonObject;
};

/** What a request of a client that knows tasks has to do with them. */
export type TaskWish =
  /** It may be answered with a task. */
  | { kind: 'may' }
  /** It is to be answered with a task, kept for so long. */
  | { kind: 'must'; ttlMs: number | undefined }
  /** It is about a task; `isDetailed` when its state is to hold the questions, the result or the error. */
  | { kind: 'about'; handle: string; isDetailed: boolean };

/** A task under its client's handle, as it is kept. */
export type KeptTask = {
  handle: string;
  /** The server's own id of it; null when there is none, because the server answered at once. */
  ownId: string | null;
  createdAt: Date;
  /** As last known, without what it asks or ended with. */
  state: TaskState;
  /** How it ended, where Peta holds that. */
  ending: Reply | undefined;
};

/** What the client asked to be done, before anyone knows whether it exists. */
export type Ask = {
  /** Peta's own id of this call. */
  callId: string;
  /** The client's id, handed back as it came. */
  requestId: string | number | { toJSON(): unknown };
  method: string;
  kind: CapabilityKind;
  /** The name as the client knows it. */
  exposedName: string;
  params: JsonObject;
  /** Passes a notification of the server to the client, on this request's stream. */
  notify(method: string, params: JsonObject): void;
  /** Puts a question to the client while the call waits; absent for a client that is asked by the answer alone. */
  question?: ((question: Question, signal: AbortSignal) => Promise<Reply>) | undefined;
  retry?: Retry | undefined;
  task?: TaskWish | undefined;
  /** Least severity of the server's log lines that the client wants of this call; undefined for what the server likes. */
  logLevel?: string | undefined;
  signal: AbortSignal;
};

/** `kept` is the task that it is about. */
export type Call = Ask & Admitted & { capability: Capability; kept?: KeptTask | undefined };

declare const cleared: unique symbol;
/** A call that may run. Only clear.ts makes one. */
export type ClearedCall = Call & { readonly [cleared]: true };

export type Cleared = { kind: 'cleared'; call: ClearedCall };

/** Stable reasons, turned into wire in one place at the edge. Hidden and unknown look the same outside. */
export type RefusalCode =
  | 'unauthenticated'
  | 'unknown-session'
  | 'unknown-capability'
  | 'unknown-task'
  | 'needs-approval'
  | 'rate-limited'
  | 'wrong-endpoint'
  | 'unknown-endpoint';
/** `workspaceId` where it is known in whose log it belongs. */
export type Refused = { kind: 'refused'; code: RefusalCode; reason: string; workspaceId?: string | undefined };

export type Decision = { rule: string } & (Cleared | Refused);

/** The server answered with a result. `isToolError` when the tool ran and reported a failure. */
export type Done = { kind: 'done'; result: JsonObject; isToolError: boolean };
/** The server answered with a JSON-RPC error, or did not answer. */
export type Failed = { kind: 'failed'; error: RpcFailure };
export type Cancelled = { kind: 'cancelled' };
/** The server needs answers first. The same call is to come again with them, and with the state. */
export type Asks = { kind: 'asks'; questions: Readonly<Record<string, Question>>; state: string | undefined };
/** A task's state in the words of 2026-07-28, with whatever else its server says. */
export type TaskState = JsonObject & { taskId: string; status: string };
/** A task as it is now: one that the call began, or that it is about. */
export type TaskSeen = { kind: 'task'; task: TaskState };
export type Outcome = Done | Failed | Refused | Cancelled | Asks | TaskSeen;

const OVER = new Set(['completed', 'failed', 'cancelled']);
/** Such a task stays as it is. */
export const isOver = ({ status }: TaskState): boolean => OVER.has(status);

/** What a server lists, as it lists it. */
export type Definition = JsonObject & { name?: string; uri?: string; uriTemplate?: string };
export type ListName = 'tools' | 'resources' | 'templates' | 'prompts';
/** How long something holds once it was read, and whether that is the same for everybody. */
export type Freshness = { ttlMs: number; cacheScope: 'public' | 'private' };
/** A way in which a client can be asked. Servers may offer more to clients that can. */
export type ClientKind = 'elicitation' | 'sampling' | 'roots';

export type Lists = Record<ListName, Definition[]>;
/** What a server lists to everybody, and what it says of that. */
export type Listing = Lists & {
  /**
   * What a server of this revision lists to clients that can be asked, by the ways in which they can (such as
   * `elicitation,roots`), as far as it was asked; null where it is what everybody is listed.
   */
  variants?: { revision: string; byKinds: Record<string, Lists | null> };
  /** What the server declared. Absent from what was stored before this was kept, as is `freshness`. */
  capabilities?: JsonObject;
  /** Of each list that the server has. */
  freshness?: Partial<Record<ListName, Freshness>>;
};

/** A registered server, without what it is launched with. */
export type ServerRecord = {
  workspaceId: string;
  serverId: string;
  serverName: string;
  enabled: boolean;
  publicAccess: boolean;
  /** Shown to anybody at /mcp/public. */
  anonymousAccess: boolean;
  /** How often a minute somebody without a token may use it from one address. */
  anonymousRateLimit: number;
  lazyStartEnabled: boolean;
  /** Null: it belongs to every environment. */
  environment: string | null;
  /** The server's own layer. */
  switches: Switches;
  /** Changes when what the server is launched with changes. */
  revision: string;
};

export type { DangerLevel, Permissions, Switches };
