import { index, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';

/** Messages of one process to another, sealed; taken out by whom they are for. */
export const mail = pgTable(
  'mail',
  {
    id: uuid('id').primaryKey(),
    processId: uuid('process_id').notNull(),
    sealed: text('sealed').notNull(),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
  },
  (t) => [index('mail_process').on(t.processId)],
);
