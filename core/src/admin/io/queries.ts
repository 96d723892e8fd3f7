import type { Database } from '#db';

/** Typed SQL: the database, or a transaction in it. */
export type Queries = Pick<Database, 'select' | 'insert' | 'update' | 'delete' | 'transaction'>;
