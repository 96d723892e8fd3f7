import { z } from 'zod';
import { operation } from './operation.ts';
import { Done, Id, Time } from './shapes.ts';

const Scope = z.enum(['mcp:tools', 'mcp:resources', 'mcp:prompts']);
const Endpoint = z
  .string()
  .regex(/^\/mcp(\/public|\/e\/[A-Za-z0-9][A-Za-z0-9._-]{0,63})?$/, 'the path of an endpoint, such as /mcp');
const ClientId = z.string().min(1).max(400);

export const OAuthClient = z.object({
  clientId: z.string(),
  name: z.string(),
  userId: Id.nullable().describe('whom its own credentials stand for'),
  redirectUris: z.array(z.string()),
  scopes: z.array(z.string()).nullable().describe('null: everything'),
  endpoints: z.array(z.string()).nullable().describe('null: everywhere'),
  isSelfRegistered: z.boolean(),
  hasSecret: z.boolean(),
  createdAt: Time,
  lastUsedAt: Time.nullable(),
});
export type OAuthClient = z.output<typeof OAuthClient>;

const settings = {
  scopes: z.array(Scope).min(1).nullable().describe('what its tokens may be for; null: everything'),
  endpoints: z.array(Endpoint).min(1).nullable().describe('where its tokens may be used; null: everywhere'),
  redirectUris: z.array(z.string().max(2_000)).max(20),
};

export const clients = {
  list: operation({
    method: 'GET',
    path: '/oauth/clients',
    guard: 'administrator',
    summary: 'OAuth clients: those an administrator made, and self-registered ones that somebody allowed',
    input: z.object({}),
    output: z.object({ clients: z.array(OAuthClient) }),
  }),
  create: operation({
    method: 'POST',
    path: '/oauth/clients',
    guard: 'administrator',
    summary: 'Make an OAuth client: with a user, its own credentials stand for that person or agent',
    input: z.object({
      name: z.string().min(1).max(200),
      userId: Id.optional(),
      redirectUris: settings.redirectUris.default([]).describe('where people who allow it are sent back to'),
      scopes: settings.scopes.default(null),
      endpoints: settings.endpoints.default(null),
      authMethod: z.enum(['client_secret_basic', 'client_secret_post', 'none']).default('client_secret_basic'),
    }),
    output: z.object({
      client: OAuthClient,
      secret: z.string().nullable().describe('shown this once; null for a public client'),
    }),
  }),
  update: operation({
    method: 'PATCH',
    path: '/oauth/clients/:clientId',
    guard: 'administrator',
    summary:
      'Change an OAuth client that an administrator made; what its tokens may be for ends tokens that were for more',
    input: z.object({
      clientId: ClientId,
      name: z.string().min(1).max(200).optional(),
      redirectUris: settings.redirectUris.optional(),
      scopes: settings.scopes.optional(),
      endpoints: settings.endpoints.optional(),
    }),
    output: z.object({ client: OAuthClient }),
  }),
  remove: operation({
    method: 'DELETE',
    path: '/oauth/clients/:clientId',
    guard: 'administrator',
    summary: 'Remove an OAuth client; everything that it was allowed ends within a second',
    input: z.object({ clientId: ClientId }),
    output: Done,
  }),
};

export const Consent = z.object({
  consentId: z.string(),
  userId: Id,
  clientId: z.string(),
  clientName: z.string().nullable(),
  scopes: z.array(z.string()),
  resources: z.array(z.string()).describe('the endpoints it is for'),
  createdAt: Time,
  expiresAt: Time.nullable(),
});
export type Consent = z.output<typeof Consent>;

export const consents = {
  list: operation({
    method: 'GET',
    path: '/oauth/consents',
    guard: 'user',
    summary: 'What people allowed OAuth clients: own ones, for administrators also those of others',
    input: z.object({ userId: Id.optional() }),
    output: z.object({ consents: z.array(Consent) }),
  }),
  revoke: operation({
    method: 'DELETE',
    path: '/oauth/consents/:consentId',
    guard: 'user',
    summary: 'Take back what somebody allowed a client; its tokens and open streams end within a second',
    input: z.object({ consentId: z.string().min(1).max(200) }),
    output: Done,
  }),
};

const Key = z.object({ keyId: z.string(), createdAt: Time, retiredAt: Time.nullable() });

export const signingKeys = {
  list: operation({
    method: 'GET',
    path: '/oauth/signing-keys',
    guard: 'administrator',
    summary: 'The keys that access tokens are signed with; the first signs',
    input: z.object({}),
    output: z.object({ keys: z.array(Key) }),
  }),
  rotate: operation({
    method: 'POST',
    path: '/oauth/signing-keys/rotate',
    guard: 'owner',
    summary: 'Sign with a new key from now on; tokens that were signed before go on until they end',
    input: z.object({}),
    output: z.object({ keys: z.array(Key) }),
  }),
};
