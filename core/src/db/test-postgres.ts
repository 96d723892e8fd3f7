import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { silentLog } from '#lib/log';
import { startEmbeddedPostgres } from './embedded.ts';
import { migrateDatabase } from './migrate.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where test files make their databases. */
    postgresUrl: string;
  }
}

/** One real PostgreSQL for a test run, with a migrated template that each test file copies. */
export const setup = async (project: TestProject) => {
  const home = await mkdtemp(join(tmpdir(), 'peta-test-'));
  const postgres = await startEmbeddedPostgres({ home, log: silentLog });
  const admin = new pg.Client({ connectionString: postgres.url });
  await admin.connect();
  await admin.query('create database peta_template');
  await admin.end();
  const template = new URL(postgres.url);
  template.pathname = '/peta_template';
  await migrateDatabase(template.href);
  project.provide('postgresUrl', postgres.url);
  return async () => {
    await postgres.stop();
    await rm(home, { recursive: true, force: true });
  };
};
