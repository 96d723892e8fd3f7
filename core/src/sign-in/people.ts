export type PersonKey = { workspaceId: string; userId: string };

/** A person as signing in needs to know them. */
export type Person = PersonKey & {
  name: string;
  email: string | null;
  createdAt: Date;
  /** Enabled, a person rather than an agent, and not past their end. */
  isWelcome: boolean;
  passwordHash: string | null;
  hasAuthenticator: boolean;
};

export type PeopleStore = {
  /** By id, or by e-mail address in any case. */
  find(workspaceId: string, idOrEmail: string, now: Date): Promise<Person | undefined>;
  setPassword(person: PersonKey, hash: string, now: Date): Promise<void>;
};
