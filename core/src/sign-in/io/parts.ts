import type { Authenticators } from '../authenticators.ts';
import type { Invites } from '../invites.ts';
import type { Local } from '../local.ts';
import type { PeopleStore, PersonKey } from '../people.ts';
import type { SignIns } from '../sign-ins.ts';
import type { Carried } from '../steps.ts';
import type { Browser, Notes } from './browser.ts';
import type { Provider } from './sign-in-page.ts';
import type { Cookies } from './site.ts';
import type { Passkeys } from './webauthn.ts';

/** A program that somebody allowed to act for them. */
export type Program = { id: string; name: string; scopes: readonly string[]; at: Date };

export type Programs = {
  list(person: PersonKey): Promise<readonly Program[]>;
  /** Takes back what was allowed; whatever the program holds open ends. */
  end(person: PersonKey, id: string): Promise<void>;
};

/** What the pages of signing in and of one's own account are made of. */
export type PageParts = {
  people: PeopleStore;
  local: Local;
  passkeys: Passkeys;
  authenticators: Authenticators;
  invites: Invites;
  signIns: SignIns;
  carried: Carried;
  browser: Browser;
  cookies: Cookies;
  note: Notes;
  /** Proves that a form was given to a sign-in. */
  formToken(signInId: string): string;
  /** Where else people of a workspace may sign in. */
  providers(workspaceId: string): Promise<readonly Provider[]>;
  programs: Programs;
  now(): Date;
};
