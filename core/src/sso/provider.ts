import type { Mapping, OidcSettings, SamlSettings } from '@peta/api';

type Common = {
  workspaceId: string;
  id: string;
  name: string;
  enabled: boolean;
  mapping: Mapping;
  /** Another one after every change: what began before a change does not end after it. */
  revision: string;
};

export type OidcProvider = Common & { kind: 'oidc'; settings: OidcSettings; secret: string | null };
export type SamlProvider = Common & { kind: 'saml'; settings: SamlSettings };

/** Where people of a workspace may sign in instead of here. */
export type Provider = OidcProvider | SamlProvider;

export type ProviderStore = {
  find(workspaceId: string, providerId: string): Promise<Provider | undefined>;
  /** The enabled ones, for buttons on the sign-in page. */
  enabled(workspaceId: string): Promise<{ id: string; name: string; kind: 'oidc' | 'saml' }[]>;
};

/** What a provider vouches for: who has just signed in there. */
export type Vouched = {
  /** What the provider calls them for good. */
  subject: string;
  /** Undefined where the provider says none, or none that counts. */
  email?: string | undefined;
  /** The provider itself says that the address is theirs. */
  isEmailVerified: boolean;
  name?: string | undefined;
  username?: string | undefined;
  groups: readonly string[];
};
