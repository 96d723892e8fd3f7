import {
  type AnyPgColumn,
  bigint,
  boolean,
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
} from 'drizzle-orm/pg-core';
import { users, workspaces } from './schema.ts';

const time = (name: string) => timestamp(name, { withTimezone: true });
const created = time('created_at').notNull().defaultNow();
const updated = time('updated_at').notNull().defaultNow();

const workspaceId = () =>
  text('workspace_id')
    .notNull()
    .references(() => workspaces.id, { onDelete: 'cascade' });

/** Parts of a workspace, such as production and staging, that servers belong to and tokens are confined to. */
export const environments = pgTable(
  'environment',
  { workspaceId: workspaceId(), id: text('id').notNull(), name: text('name').notNull(), createdAt: created },
  (t) => [primaryKey({ columns: [t.workspaceId, t.id] })],
);

export const teams = pgTable(
  'team',
  {
    workspaceId: workspaceId(),
    id: text('id').notNull(),
    name: text('name').notNull(),
    description: text('description').notNull().default(''),
    /** The id under which the directory that provisions it knows it. */
    externalId: text('external_id'),
    createdAt: created,
    updatedAt: updated,
  },
  (t) => [primaryKey({ columns: [t.workspaceId, t.id] })],
);

export const teamMembers = pgTable(
  'team_member',
  {
    workspaceId: text('workspace_id').notNull(),
    teamId: text('team_id').notNull(),
    userId: text('user_id').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.teamId, t.userId] }),
    foreignKey({ columns: [t.workspaceId, t.teamId], foreignColumns: [teams.workspaceId, teams.id] }).onDelete(
      'cascade',
    ),
    foreignKey({ columns: [t.workspaceId, t.userId], foreignColumns: [users.workspaceId, users.id] }).onDelete(
      'cascade',
    ),
    index('team_member_user').on(t.workspaceId, t.userId),
  ],
);

/** Roles of a workspace's own: what they add to what every user may do, as names of operations. */
export const roles = pgTable(
  'role',
  {
    workspaceId: workspaceId(),
    id: text('id').notNull(),
    name: text('name').notNull(),
    operations: jsonb('operations').$type<string[]>().notNull(),
    createdAt: created,
    updatedAt: updated,
  },
  (t) => [primaryKey({ columns: [t.workspaceId, t.id] })],
);

const person = () => ({ workspaceId: text('workspace_id').notNull(), userId: text('user_id').notNull() });
const ofPerson = (t: { workspaceId: AnyPgColumn; userId: AnyPgColumn }) =>
  foreignKey({ columns: [t.workspaceId, t.userId], foreignColumns: [users.workspaceId, users.id] }).onDelete('cascade');

/** What people know: a password (argon2id), and the secret of an authenticator app, sealed. */
export const passwords = pgTable(
  'password',
  { ...person(), hash: text('hash').notNull(), changedAt: time('changed_at').notNull().defaultNow() },
  (t) => [primaryKey({ columns: [t.workspaceId, t.userId] }), ofPerson(t)],
);

export const authenticators = pgTable(
  'authenticator',
  {
    ...person(),
    sealedSecret: text('sealed_secret').notNull(),
    /** Null until a first code has shown that the app has the secret. */
    confirmedAt: time('confirmed_at'),
    /** The last time step whose code was used; none is good twice. */
    lastStep: bigint('last_step', { mode: 'number' }).notNull().default(0),
    /** SHA-256 of the recovery codes that are left, hex. */
    recoveryHashes: jsonb('recovery_hashes').$type<string[]>().notNull().default([]),
    createdAt: created,
  },
  (t) => [primaryKey({ columns: [t.workspaceId, t.userId] }), ofPerson(t)],
);

/** WebAuthn credentials. */
export const passkeys = pgTable(
  'passkey',
  {
    /** The credential's id, base64url. */
    id: text('id').primaryKey(),
    ...person(),
    name: text('name').notNull(),
    /** COSE, base64url. */
    publicKey: text('public_key').notNull(),
    counter: bigint('counter', { mode: 'number' }).notNull(),
    transports: jsonb('transports').$type<string[]>().notNull().default([]),
    isBackedUp: boolean('is_backed_up').notNull().default(false),
    createdAt: created,
    lastUsedAt: time('last_used_at'),
  },
  (t) => [index('passkey_user').on(t.workspaceId, t.userId), ofPerson(t)],
);

/** People signed in with a browser. The cookie is not here, only its SHA-256. */
export const signIns = pgTable(
  'sign_in',
  {
    /** What it is called by in lists and in the log; no use as a cookie. */
    id: text('id').primaryKey(),
    hash: text('hash').notNull().unique(),
    ...person(),
    /** How they proved who they are: password, totp, passkey, recovery, oidc, saml, setup. */
    methods: jsonb('methods').$type<string[]>().notNull(),
    /** The identity provider that vouched for them. */
    providerId: text('provider_id'),
    address: text('address').notNull(),
    userAgent: text('user_agent').notNull().default(''),
    createdAt: created,
    lastSeenAt: time('last_seen_at').notNull().defaultNow(),
    expiresAt: time('expires_at').notNull(),
  },
  (t) => [index('sign_in_user').on(t.workspaceId, t.userId), index('sign_in_expires').on(t.expiresAt), ofPerson(t)],
);

/** Failed tries to sign in, by whom and from where. */
export const signInFailures = pgTable(
  'sign_in_failure',
  {
    key: text('key').primaryKey(),
    count: integer('count').notNull(),
    lastAt: time('last_at').notNull(),
  },
  (t) => [index('sign_in_failure_last').on(t.lastAt)],
);

/** Short-lived steps of signing in, sealed: challenges, states sent to identity providers. Taken out when used. */
export const signInSteps = pgTable(
  'sign_in_step',
  { hash: text('hash').primaryKey(), sealed: text('sealed').notNull(), expiresAt: time('expires_at').notNull() },
  (t) => [index('sign_in_step_expires').on(t.expiresAt)],
);

/** Where people of a workspace may sign in instead: OpenID Connect or SAML 2.0. */
export const identityProviders = pgTable(
  'identity_provider',
  {
    workspaceId: workspaceId(),
    id: text('id').notNull(),
    kind: text('kind').$type<'oidc' | 'saml'>().notNull(),
    name: text('name').notNull(),
    enabled: boolean('enabled').notNull().default(true),
    /** Everything that is no secret; its shape is the resource's. */
    settings: jsonb('settings').notNull(),
    /** The client secret or private key, sealed. */
    sealedSecret: text('sealed_secret'),
    createdAt: created,
    updatedAt: updated,
  },
  (t) => [primaryKey({ columns: [t.workspaceId, t.id] })],
);

/** Who somebody at an identity provider is here. */
export const externalIdentities = pgTable(
  'external_identity',
  { ...person(), providerId: text('provider_id').notNull(), subject: text('subject').notNull(), createdAt: created },
  (t) => [
    primaryKey({ columns: [t.workspaceId, t.providerId, t.subject] }),
    index('external_identity_user').on(t.workspaceId, t.userId),
    ofPerson(t),
    foreignKey({
      columns: [t.workspaceId, t.providerId],
      foreignColumns: [identityProviders.workspaceId, identityProviders.id],
    }).onDelete('cascade'),
  ],
);

/** OAuth clients: registered by themselves, or made by an administrator for an agent. */
export const oauthClients = pgTable(
  'oauth_client',
  {
    id: text('id').primaryKey(),
    /** Null for one that registered itself: it belongs to nobody until somebody consents. */
    workspaceId: text('workspace_id').references(() => workspaces.id, { onDelete: 'cascade' }),
    /** The person or agent that its own credentials stand for. */
    userId: text('user_id'),
    /** RFC 7591 metadata, without secrets. */
    metadata: jsonb('metadata').$type<Record<string, unknown>>().notNull(),
    sealedSecret: text('sealed_secret'),
    /** Where it registered from. */
    address: text('address'),
    createdAt: created,
    lastUsedAt: time('last_used_at'),
  },
  (t) => [index('oauth_client_user').on(t.workspaceId, t.userId)],
);

/** What the authorization server keeps: codes, grants, refresh tokens and so on. Secrets are here as SHA-256 alone. */
export const oauthRecords = pgTable(
  'oauth_record',
  {
    model: text('model').notNull(),
    hash: text('hash').notNull(),
    payload: jsonb('payload').$type<Record<string, unknown>>().notNull(),
    workspaceId: text('workspace_id').references(() => workspaces.id, { onDelete: 'cascade' }),
    userId: text('user_id'),
    clientId: text('client_id'),
    grantId: text('grant_id'),
    userCodeHash: text('user_code_hash'),
    uidHash: text('uid_hash'),
    createdAt: created,
    consumedAt: time('consumed_at'),
    expiresAt: time('expires_at'),
  },
  (t) => [
    primaryKey({ columns: [t.model, t.hash] }),
    index('oauth_record_grant').on(t.grantId),
    index('oauth_record_user').on(t.workspaceId, t.userId),
    index('oauth_record_user_code').on(t.userCodeHash),
    index('oauth_record_uid').on(t.uidHash),
    index('oauth_record_expires').on(t.expiresAt),
  ],
);

/** Keys that access tokens are signed with. */
export const signingKeys = pgTable('signing_key', {
  /** The `kid`. */
  id: text('id').primaryKey(),
  /** The private JWK, sealed. */
  sealedKey: text('sealed_key').notNull(),
  createdAt: created,
  /** From when on no token is signed with it any more; those that are go on being verified until they end. */
  retiredAt: time('retired_at'),
});
