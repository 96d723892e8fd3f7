import type { z } from 'zod';

/** Who may ask: `open` needs no token, `user` any enabled person, `administrator` administrators and the owner. */
export type Guard = 'open' | 'user' | 'administrator' | 'owner';

/**
 * One operation, declared once. REST routes, the OpenAPI document, the typed client, `/admin` actions, permission
 * checks and the audit of changes derive from it.
 */
export type Operation = {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below `/api/v1`; `:name` is filled from the input field of that name. */
  path: string;
  guard: Guard;
  /** One sentence for the OpenAPI document and the reference. */
  summary: string;
  /** About the asker's own sign-in: auditors, who change nothing else, may do it. */
  isOwnSignIn?: true;
  /** The published number of the same operation at `POST /admin`, where there is one. */
  action?: number;
  /** Always an object: path parameters, then query (GET, DELETE) or body (the rest). */
  input: z.ZodObject;
  output: z.ZodType;
};

/** Checks the shape, keeps the literal types. */
export const operation = <const O extends Operation>(o: O): O => o;
