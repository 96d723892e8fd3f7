import { defineConfig } from 'drizzle-kit';

export default defineConfig({
  dialect: 'postgresql',
  schema: ['./core/src/db/schema.ts', './core/src/db/schema-cluster.ts', './core/src/db/schema-identity.ts'],
  out: './core/src/db/migrations',
});
