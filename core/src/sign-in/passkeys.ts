import type { PersonKey } from './people.ts';

export type Passkey = PersonKey & {
  id: string;
  name: string;
  /** COSE, base64url. */
  publicKey: string;
  counter: number;
  transports: string[];
  isBackedUp: boolean;
  createdAt: Date;
  lastUsedAt: Date | null;
};

export type PasskeyStore = {
  find(id: string): Promise<Passkey | undefined>;
  list(person: PersonKey): Promise<Passkey[]>;
  /** False when there is one with that id. */
  add(passkey: Passkey): Promise<boolean>;
  /** Moves the counter on; false when another use has moved it as far, which a copy of the key would do. */
  used(id: string, counter: number, now: Date): Promise<boolean>;
  rename(person: PersonKey, id: string, name: string): Promise<boolean>;
  remove(person: PersonKey, id: string): Promise<boolean>;
};
