import type { NameStyle, Permissions, Selected, Switches, TokenScope } from '@peta/api';
import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  serial,
  smallint,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import type { Client, JsonObject, Listing, TaskState } from '#call';

const time = (name: string) => timestamp(name, { withTimezone: true });
const created = time('created_at').notNull().defaultNow();
const updated = time('updated_at').notNull().defaultNow();

/** A tenant. The first one is made by the first start, and carries the published proxy identity. */
export const workspaces = pgTable('workspace', {
  id: text('id').primaryKey(),
  number: serial('number').notNull(),
  name: text('name').notNull(),
  proxyKey: text('proxy_key'),
  proxyCreatedAt: time('proxy_created_at'),
  createdAt: created,
});

const workspaceId = () =>
  text('workspace_id')
    .notNull()
    .references(() => workspaces.id, { onDelete: 'cascade' });

/** People and agents. */
export const users = pgTable(
  'user',
  {
    workspaceId: workspaceId(),
    id: text('id').notNull(),
    name: text('name').notNull(),
    notes: text('notes').notNull().default(''),
    kind: text('kind').$type<'person' | 'agent'>().notNull().default('person'),
    /** Lower case; what people sign in with besides their id. */
    email: text('email'),
    /** 1 owner, 2 administrator, 3 user. */
    role: smallint('role').notNull(),
    /** Of somebody whose role is 3: `auditor`, or the id of a role of the workspace, which adds operations. */
    roleId: text('role_id'),
    /** Whose agent it is: a person's or a team's. */
    ownerUserId: text('owner_user_id'),
    ownerTeamId: text('owner_team_id'),
    /** The id under which the directory that provisions this person knows them. */
    externalId: text('external_id'),
    /** What that directory says of them besides, in SCIM's words, their user name as it is written there for one. */
    directory: jsonb('directory').$type<JsonObject>(),
    /** What that directory, or one that takes them over, finds them by, in lower case. */
    userName: text('user_name').generatedAlwaysAs(sql`lower(coalesce(directory->>'userName', email, id))`),
    /** 0 disabled, 1 enabled, 2 pending, 3 suspended. */
    status: smallint('status').notNull().default(1),
    /** The administrator's layer. */
    permissions: jsonb('permissions').$type<Permissions>().notNull().default({}),
    /** The person's own layer, by client name. */
    preferences: jsonb('preferences').$type<Record<string, Permissions>>().notNull().default({}),
    ratelimit: integer('ratelimit').notNull().default(100),
    /** The published envelope of the person's token, opaque to us; given back as it came. */
    encryptedToken: text('encrypted_token'),
    expiresAt: time('expires_at'),
    createdAt: created,
    updatedAt: updated,
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.id] }),
    uniqueIndex('user_email').on(t.workspaceId, t.email),
    uniqueIndex('user_external').on(t.workspaceId, t.externalId),
    index('user_user_name').on(t.workspaceId, t.userName),
  ],
);

/** Service tokens. The secret is not here, only its SHA-256. */
export const tokens = pgTable(
  'token',
  {
    id: uuid('id').primaryKey(),
    workspaceId: workspaceId(),
    userId: text('user_id').notNull(),
    name: text('name').notNull(),
    /** Hex. 64 characters, or the first 32 where the published interface gave us only those. */
    hash: text('hash').notNull().unique(),
    mask: text('mask').notNull(),
    scope: jsonb('scope').$type<TokenScope>().notNull().default({}),
    createdAt: created,
    expiresAt: time('expires_at'),
    lastUsedAt: time('last_used_at'),
    revokedAt: time('revoked_at'),
  },
  (t) => [index('token_user').on(t.workspaceId, t.userId)],
);

/** Downstream MCP servers. */
export const servers = pgTable(
  'server',
  {
    workspaceId: workspaceId(),
    id: text('id').notNull(),
    name: text('name').notNull(),
    category: smallint('category').notNull(),
    authType: smallint('auth_type').notNull().default(1),
    /** Null: it belongs to every environment. */
    environment: text('environment'),
    enabled: boolean('enabled').notNull().default(true),
    /** stdio, http or sse: the only part of the launch configuration that is not sealed. */
    transport: text('transport').$type<'stdio' | 'http' | 'sse'>().notNull(),
    /** The launch configuration, sealed by the vault. */
    sealedLaunchConfig: text('sealed_launch_config').notNull(),
    configTemplate: text('config_template').notNull().default('{}'),
    /** The server's own layer. */
    switches: jsonb('switches').$type<Switches>().notNull().default({ enabled: true }),
    allowUserInput: boolean('allow_user_input').notNull().default(false),
    lazyStartEnabled: boolean('lazy_start_enabled').notNull().default(true),
    publicAccess: boolean('public_access').notNull().default(false),
    anonymousAccess: boolean('anonymous_access').notNull().default(false),
    anonymousRateLimit: integer('anonymous_rate_limit').notNull().default(10),
    toolTmplId: text('tool_tmpl_id'),
    /** What the server listed when it was last asked: tools, resources, templates, prompts. */
    listing: jsonb('listing').$type<Listing>(),
    listedAt: time('listed_at'),
    createdAt: created,
    updatedAt: updated,
  },
  (t) => [primaryKey({ columns: [t.workspaceId, t.id] })],
);

/** Selections of servers at an address of their own. */
export const endpoints = pgTable(
  'endpoint',
  {
    workspaceId: workspaceId(),
    /** The last part of its address. */
    id: text('id').notNull(),
    description: text('description').notNull().default(''),
    enabled: boolean('enabled').notNull().default(true),
    anonymous: boolean('anonymous').notNull().default(false),
    nameStyle: text('name_style').$type<NameStyle>().notNull().default('safe'),
    selection: jsonb('selection').$type<Selected[]>().notNull(),
    createdAt: created,
    updatedAt: updated,
  },
  (t) => [primaryKey({ columns: [t.workspaceId, t.id] })],
);

/** Calls that go on after their answer, by the handle that their client was given. */
export const tasks = pgTable(
  'task',
  {
    /** The handle: unguessable, and no use to anybody but its owner. */
    id: text('id').primaryKey(),
    workspaceId: workspaceId(),
    ownerKind: text('owner_kind').$type<'user' | 'machine' | 'anonymous'>().notNull(),
    /** Null for the machine and for anybody. */
    userId: text('user_id'),
    /** Path of the endpoint where it was begun. */
    endpoint: text('endpoint').notNull(),
    serverId: text('server_id').notNull(),
    /** The tool that began it, under the server's own name. */
    tool: text('tool').notNull(),
    /** The server's own id of it; null when the server answered at once. */
    ownId: text('own_id'),
    /** As last known, without what it asks or ended with. */
    state: jsonb('state').$type<TaskState>().notNull(),
    /** How it ended, sealed, where the server does not hold that. */
    sealedEnding: text('sealed_ending'),
    createdAt: created,
    expiresAt: time('expires_at').notNull(),
  },
  (t) => [
    index('task_owner').on(t.workspaceId, t.ownerKind, t.userId, t.createdAt),
    index('task_expires').on(t.expiresAt),
  ],
);

/** One-time set-up links. */
export const setupLinks = pgTable('setup_link', {
  hash: text('hash').primaryKey(),
  workspaceId: workspaceId(),
  expiresAt: time('expires_at').notNull(),
  createdAt: created,
});

/** The log. Filled from each replica's journal; rows are never changed except to add how a call ended. */
export const auditRecords = pgTable(
  'audit_record',
  {
    id: uuid('id').primaryKey(),
    workspaceId: text('workspace_id').notNull(),
    at: time('at').notNull(),
    kind: text('kind').notNull(),
    userId: text('user_id'),
    tokenId: text('token_id'),
    role: smallint('role'),
    client: text('client'),
    address: text('address'),
    sessionId: text('session_id'),
    requestId: text('request_id'),
    operation: text('operation').notNull(),
    serverId: text('server_id'),
    name: text('name'),
    exposedName: text('exposed_name'),
    arguments: jsonb('arguments'),
    rule: text('rule'),
    outcome: text('outcome').notNull().default('interrupted'),
    error: text('error'),
    durationMs: integer('duration_ms'),
  },
  (t) => [
    index('audit_record_at').on(t.workspaceId, t.at.desc(), t.id.desc()),
    index('audit_record_user').on(t.workspaceId, t.userId, t.at.desc()),
    index('audit_record_server').on(t.workspaceId, t.serverId, t.at.desc()),
  ],
);

/** How far each replica's journal has been drained: written in the same transaction as the records. */
export const journalPositions = pgTable('journal_position', {
  instanceId: text('instance_id').primaryKey(),
  segment: bigint('segment', { mode: 'number' }).notNull(),
  offset: bigint('offset', { mode: 'number' }).notNull(),
  updatedAt: time('updated_at').notNull().default(sql`now()`),
});

/** Processes that serve this database. One that has not been seen for a while is gone, and what it did with it. */
export const processes = pgTable('process', {
  id: uuid('id').primaryKey(),
  /** The home, which only one process can hold: a newer one there means that an older one is gone. */
  instanceId: text('instance_id').notNull(),
  seenAt: time('seen_at').notNull().defaultNow(),
});

/** Sessions of clients of the older era. The id, which is a secret, is not here, only its SHA-256. */
export const sessions = pgTable(
  'session',
  {
    hash: text('hash').primaryKey(),
    workspaceId: workspaceId(),
    /** user, machine or anonymous. */
    kind: text('kind').notNull(),
    userId: text('user_id'),
    endpoint: text('endpoint').notNull(),
    client: jsonb('client').$type<Client>().notNull(),
    protocolVersion: text('protocol_version').notNull(),
    logLevel: text('log_level'),
    /** URIs as the client knows them. */
    subscriptions: jsonb('subscriptions').$type<string[]>().notNull().default([]),
    createdAt: created,
    lastUsedAt: time('last_used_at').notNull().defaultNow(),
  },
  (t) => [index('session_last_used').on(t.lastUsedAt)],
);

/** Event streams that a client may come back to. */
export const streams = pgTable(
  'stream',
  {
    id: text('id').primaryKey(),
    session: text('session')
      .notNull()
      .references(() => sessions.hash, { onDelete: 'cascade' }),
    /** Of a stream that answers one request: its id, as JSON. */
    requestId: text('request_id'),
    /** Which process writes to it. */
    processId: uuid('process_id').notNull(),
    createdAt: created,
    endedAt: time('ended_at'),
  },
  (t) => [index('stream_session').on(t.session), index('stream_ended').on(t.endedAt)],
);

/** What was said on a stream, in order, under a key that only the session's own id gives. */
export const streamEvents = pgTable(
  'stream_event',
  {
    stream: text('stream')
      .notNull()
      .references(() => streams.id, { onDelete: 'cascade' }),
    number: integer('number').notNull(),
    /** The JSON that was sent, sealed. */
    sealed: text('sealed').notNull(),
  },
  (t) => [primaryKey({ columns: [t.stream, t.number] })],
);
