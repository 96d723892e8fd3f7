import type { NodePgDatabase } from 'drizzle-orm/node-postgres';
import type pg from 'pg';
import * as base from './schema.ts';
import * as identity from './schema-identity.ts';

const schema = { ...base, ...identity };

/** Typed SQL over a pool. Adapters in `io/` folders take one of these. */
export type Database = NodePgDatabase<typeof schema> & { $client: pg.Pool };
export { schema };
