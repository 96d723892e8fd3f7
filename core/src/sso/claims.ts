import { emailIn } from './mapping.ts';
import type { OidcProvider, Vouched } from './provider.ts';

const MAX_GROUPS = 5_000;

export type Claims = Record<string, unknown>;

/** By its name, or by a path such as `realm_access.roles` where no claim has that name. */
export const claimOf = (claims: Claims, name: string): unknown => {
  if (Object.hasOwn(claims, name)) return claims[name];
  return name.split('.').reduce<unknown>((value, part) => {
    const isObject = typeof value === 'object' && value !== null && Object.hasOwn(value, part);
    return isObject ? (value as Claims)[part] : undefined;
  }, claims);
};

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value.trim() !== '' ? value.trim().slice(0, 320) : undefined;

const groupsOf = (value: unknown): string[] =>
  (Array.isArray(value) ? value : [value]).filter((one) => typeof one === 'string').slice(0, MAX_GROUPS);

/** The address and what is said of it come from one place: `email_verified` is about the claim `email` beside it. */
const emailOf = ({ settings }: OidcProvider, claims: Claims) => {
  const email = emailIn(textOf(claimOf(claims, settings.emailClaim)));
  const { email_verified: verified } = claims;
  const isAboutIt = emailIn(textOf(claims.email)) === email;
  const isEmailVerified = isAboutIt && (verified === true || verified === 'true');
  const counts = isEmailVerified || (!settings.requireVerifiedEmail && (verified === undefined || !isAboutIt));
  return { email: counts ? email : undefined, isEmailVerified };
};

/** What an ID token vouches for, and where it is silent the userinfo endpoint of the same provider. */
export const vouchedOf = (provider: OidcProvider, idToken: Claims & { sub: string }, more: Claims): Vouched => {
  const { emailClaim, nameClaim, groupsClaim } = provider.settings;
  const claims = { ...more, ...idToken };
  return {
    subject: idToken.sub,
    ...emailOf(provider, claimOf(idToken, emailClaim) === undefined ? more : idToken),
    name: textOf(claimOf(claims, nameClaim)),
    username: textOf(claims.preferred_username),
    groups: groupsOf(claimOf(claims, groupsClaim)),
  };
};
