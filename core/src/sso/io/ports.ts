import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RateLimit } from '#lib/rate-limit';
import type { PeopleStore } from '../admit.ts';
import type { ProviderStore } from '../provider.ts';
import type { Steps } from '../steps.ts';
import type { Oidc } from './oidc.ts';
import type { Saml } from './saml.ts';

/** What is written down of single sign-on. */
export type SsoRecord = {
  workspaceId: string;
  providerId: string;
  /** Null for somebody of whom it is not known who they are. */
  userId: string | null;
  address: string;
  operation: 'sso.signIn' | 'sso.created' | 'sso.linked' | 'sso.changed';
  details: Record<string, string | number | string[]>;
  outcome: 'done' | 'refused';
  error?: string;
};

/** Begins a browser's session, and sets its cookie. */
export type SignIns = {
  begin(
    request: FastifyRequest,
    reply: FastifyReply,
    who: { workspaceId: string; userId: string; methods: string[]; providerId: string },
  ): Promise<unknown>;
};

export type SsoPorts = {
  providers: ProviderStore;
  people: PeopleStore;
  steps: Steps;
  oidc: Oidc;
  saml: Saml;
  signIns: SignIns;
  /** What a browser reaches us by, without a trailing slash. */
  baseUrl(): string;
  audit(record: SsoRecord): Promise<void>;
  publish(change: { topic: 'user'; workspaceId: string; id: string }): Promise<void>;
  /** Turns a database that is away into a sentence. */
  withDatabase<T>(use: () => Promise<T>): Promise<T>;
  take: RateLimit;
  /** Milliseconds since the epoch. */
  now(): number;
};
