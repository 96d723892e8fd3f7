import { sql } from 'drizzle-orm';
import type { Database } from '#db';
import { taken } from '../errors.ts';

export type Transaction = Parameters<Parameters<Database['transaction']>[0]>[0];

const CONSTRAINTS: Record<string, string> = {
  user_email: 'Somebody else has this e-mail address.',
  user_external: 'Somebody else has this externalId.',
};

const violated = (error: unknown): string | undefined => {
  if (!(error instanceof Error)) return undefined;
  if ('code' in error && error.code === '23505' && 'constraint' in error) return String(error.constraint);
  return violated(error.cause);
};

/** One change of a workspace's people and teams after the other, so that no two take the same name at once. */
export const inTurn = async <T>(
  db: Database,
  workspaceId: string,
  change: (transaction: Transaction) => Promise<T>,
): Promise<T> => {
  try {
    return await db.transaction(async (transaction) => {
      await transaction.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`scim ${workspaceId}`}, 0))`);
      return change(transaction);
    });
  } catch (error) {
    const constraint = violated(error);
    throw constraint === undefined ? error : taken(CONSTRAINTS[constraint] ?? 'There is one like this already.');
  }
};
