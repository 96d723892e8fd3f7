import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** One import a line, and whether the rules of biome.json must refuse it. All are planted at once and linted once. */
const cases = `
refuse core/src/path/downstream/x.ts    ../policy/policy.ts
refuse core/src/path/downstream/x.ts    ../audit/io/journal.ts
refuse core/src/path/downstream/x.ts    ./io/open.ts
refuse core/src/path/downstream/x.ts    #clear
refuse core/src/path/downstream/x.ts    ../clear.ts
refuse core/src/path/downstream/x.ts    ../path.ts
refuse core/src/path/downstream/x.ts    ../../main.ts
refuse core/src/path/downstream/x.ts    ../../admin/users.ts
refuse core/src/path/downstream/x.ts    #db
refuse core/src/path/downstream/x.ts    node:fs
refuse core/src/path/downstream/x.ts    pg
allow  core/src/path/downstream/x.ts    #call
allow  core/src/path/downstream/x.ts    #lib/sleep
allow  core/src/path/downstream/x.ts    ./errors.ts
allow  core/src/path/downstream/x.ts    zod
allow  core/src/path/downstream/x.ts    @peta/api
allow  core/src/path/downstream/x.ts    node:crypto
allow  core/src/path/policy/x.ts        #clear
refuse core/src/path/policy/x.ts        ../vault/seal.ts
refuse core/src/path/policy/x.ts        pg
refuse core/src/path/edge/x.ts          ../catalog/catalog.ts
allow  core/src/path/edge/eras/x.ts     ../wire.ts
refuse core/src/path/edge/eras/x.ts     ../../session/sessions.ts
allow  core/src/path/audit/io/x.ts      node:fs
allow  core/src/path/audit/io/x.ts      #db
allow  core/src/path/audit/io/x.ts      ../entry.ts
refuse core/src/path/audit/io/x.ts      ../../vault/seal.ts
refuse core/src/path/audit/io/x.ts      #clear
refuse core/src/path/x.ts               ./policy/policy.ts
allow  core/src/path/x.ts               ./call.ts
refuse core/src/lib/x.ts                #call
refuse core/src/lib/x.ts                node:fs
refuse core/src/admin/x.ts              ../path/audit/audit.ts
refuse core/src/admin/x.ts              ../main.ts
refuse core/src/admin/x.ts              fastify
allow  core/src/admin/io/x.ts           fastify
refuse core/src/runtime/x.ts            ../path/downstream/connection.ts
allow  core/src/main.ts                 ./path/vault/io/master-key.ts
allow  core/src/build/x.ts              ../path/vault/io/master-key.ts
refuse api/src/x.ts                     @peta/core
refuse api/src/x.ts                     node:fs
refuse cli/src/x.ts                     @peta/core
refuse cli/src/commands/x.ts            ../../../core/src/main.ts
allow  cli/src/start/x.ts               @peta/core
allow  cli/src/x.ts                     @peta/api
refuse e2e/x.ts                         ../core/src/path/path.ts
refuse bench/x.ts                       @peta/core
`
  .trim()
  .split('\n')
  .map((line, number) => {
    const [verdict = '', file = '', specifier = ''] = line.split(/ +/);
    return { verdict, file, specifier, planted: file.replace(/x\.ts$/, `x${number}.ts`) };
  });

let root: string;
let refused: Set<string>;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'boundaries-'));
  cpSync('biome.json', join(root, 'biome.json'));
  symlinkSync(join(process.cwd(), 'node_modules'), join(root, 'node_modules'));
  for (const { planted, specifier } of cases) {
    mkdirSync(dirname(join(root, planted)), { recursive: true });
    writeFileSync(join(root, planted), `import { x } from '${specifier}';\n\nexport const y = x;\n`);
  }
  const args = ['lint', '--reporter=json', '--max-diagnostics=none', '.'];
  let report: string;
  try {
    report = execFileSync(join(root, 'node_modules/.bin/biome'), args, { cwd: root, encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    report = String((error as { stdout: string }).stdout);
  }
  const { diagnostics } = JSON.parse(report) as { diagnostics: { category: string; location: { path: unknown } }[] };
  refused = new Set(
    diagnostics
      .filter(({ category }) => category === 'lint/style/noRestrictedImports')
      .map(({ location }) => JSON.stringify(location.path)),
  );
});
afterAll(() => rmSync(root, { recursive: true }));

test.each(cases)('$verdict $file ← $specifier', ({ verdict, planted }) => {
  const isRefused = [...refused].some((path) => path.includes(planted));
  expect(isRefused).toBe(verdict === 'refuse');
});
