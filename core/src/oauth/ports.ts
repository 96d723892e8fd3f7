import type { Account } from './account.ts';

/** What a sealed value is bound to. */
type Binding = { workspaceId: string; table: string; row: string; column: string };
export type Sealer = {
  seal(plaintext: string, binding: Binding): string;
  open(text: string, binding: Binding): string;
};

/** Somebody's right to use Peta has ended, and everything that remembers it must forget it. */
export type Revoked = (workspaceId: string, tokenId: string) => Promise<void>;

/** Somebody signed in with a browser. */
export type SignedIn = { signInId: string; workspaceId: string; userId: string; at: Date; methods: string[] };

/** Something that belongs in the audit log. Secrets never do. */
export type Happening = {
  account: Account | null;
  address: string;
  operation: string;
  target: string | null;
  details: { [field: string]: string | string[] | null };
  outcome: 'done' | 'refused';
  error?: string;
};
export type Note = (happening: Happening) => Promise<void>;
