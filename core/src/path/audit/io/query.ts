import type { AuditRecord } from '@peta/api';
import { and, desc, eq, gte, lte, type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { type Database, schema } from '#db';

const { auditRecords: records } = schema;

export type Filter = {
  workspaceId: string;
  kind?: string | undefined;
  userId?: string | undefined;
  serverId?: string | undefined;
  operation?: string | undefined;
  outcome?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
  cursor?: string | undefined;
  limit: number;
};

/** A cursor that this list did not give. */
export class BadCursor extends Error {
  override readonly name = 'BadCursor';
}

const Cursor = z.tuple([z.iso.datetime(), z.uuid()]);

const after = (cursor: string | undefined): SQL | undefined => {
  if (cursor === undefined) return undefined;
  try {
    const [at, id] = Cursor.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
    return sql`(${records.at}, ${records.id}) < (${at}::timestamptz, ${id}::uuid)`;
  } catch {
    throw new BadCursor('The cursor is not one that this list gave.');
  }
};

const optional = <T>(value: T | undefined, make: (value: T) => SQL): SQL | undefined =>
  value === undefined ? undefined : make(value);

/** One page of the log, newest first. Throws `BadCursor`. */
export const listRecords = async (
  db: Database,
  filter: Filter,
): Promise<{ records: AuditRecord[]; nextCursor: string | null }> => {
  const rows = await db
    .select()
    .from(records)
    .where(
      and(
        eq(records.workspaceId, filter.workspaceId),
        optional(filter.kind, (kind) => eq(records.kind, kind)),
        optional(filter.userId, (userId) => eq(records.userId, userId)),
        optional(filter.serverId, (serverId) => eq(records.serverId, serverId)),
        optional(filter.operation, (operation) => eq(records.operation, operation)),
        optional(filter.outcome, (outcome) => eq(records.outcome, outcome)),
        optional(filter.from, (from) => gte(records.at, new Date(from))),
        optional(filter.to, (to) => lte(records.at, new Date(to))),
        after(filter.cursor),
      ),
    )
    .orderBy(desc(records.at), desc(records.id))
    .limit(filter.limit + 1);
  const page = rows.slice(0, filter.limit);
  const last = page.at(-1);
  return {
    records: page.map(({ workspaceId: _workspace, at, ...row }) => ({ ...row, at: at.toISOString() }) as AuditRecord),
    nextCursor:
      last && rows.length > filter.limit
        ? Buffer.from(JSON.stringify([last.at.toISOString(), last.id])).toString('base64url')
        : null,
  };
};
