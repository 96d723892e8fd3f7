/**
 * Peta under the official conformance suite, in every leg, as a client and as a server:
 * `npm run conformance [-- leg…]`. Prints the totals of each leg and a table of all; exits with 0 when nothing failed but
 * what `expected-failures-<leg>.yaml` lists, each with its reason, and all that it lists did fail.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanUp } from '../harness/peta.ts';
import { runClientLeg, startClientPerformer } from './client-run.ts';
import { readExpected } from './expected.ts';
import { lineOf, table } from './report.ts';
import { readRequirements, type Side } from './requirements.ts';
import { type Behind, runServerLeg, startFront } from './server-run.ts';
import type { Results } from './suite.ts';
import { judge, type Verdict } from './verdict.ts';

type Leg = { side: Side; revision: string; run(name: string, folder: string): Promise<Results> };

const once = <T>(make: () => Promise<T>): (() => Promise<T>) => {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
};
const performer = once(startClientPerformer);
const front = once(startFront);

const client = (revision: string): Leg => ({
  side: 'client',
  revision,
  run: async (_name, folder) => runClientLeg(await performer(), revision, folder),
});
const server = (revision: string, behind: Behind): Leg => ({
  side: 'server',
  revision,
  run: async (name, folder) => runServerLeg(await front(), name, revision, behind, folder),
});

/** By name: the revision that the suite speaks, then what the server behind Peta speaks. */
const legs: Readonly<Record<string, Leg>> = {
  'client-2025-11-25': client('2025-11-25'),
  'client-2026-07-28': client('2026-07-28'),
  'server-2025-11-25-legacy': server('2025-11-25', 'legacy'),
  'server-2025-11-25-modern': server('2025-11-25', 'modern'),
  'server-2025-11-25-stdio': server('2025-11-25', 'stdio'),
  'server-2026-07-28-modern': server('2026-07-28', 'modern'),
  'server-2026-07-28-legacy': server('2026-07-28', 'legacy'),
  'server-2026-07-28-stdio': server('2026-07-28', 'stdio'),
};
/** Mostly waits, so that it disturbs nobody: it runs beside the others, which run one after another. */
const SLOW = 'server-2026-07-28-legacy';

const output = mkdtempSync(join(tmpdir(), 'peta-conformance-'));
const verdicts = new Map<string, Verdict>();

const runLeg = async (name: string): Promise<void> => {
  const leg = legs[name];
  if (!leg) throw new Error(`There is no leg ${name}. Legs: ${Object.keys(legs).join(', ')}`);
  const since = Date.now();
  const results = await leg.run(name, join(output, name));
  const verdict = judge(results, readRequirements(leg.revision, leg.side), readExpected(name));
  verdicts.set(name, verdict);
  console.log(lineOf(name, verdict, (Date.now() - since) / 1000));
  for (const surprise of verdict.surprises) console.log(`  ! ${surprise}`);
};

const runAll = async (names: readonly string[]): Promise<void> => {
  const lane = async (members: readonly string[]) => {
    for (const name of members) await runLeg(name);
  };
  await Promise.all([lane(names.filter((name) => name !== SLOW)), lane(names.filter((name) => name === SLOW))]);
};

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void cleanUp().finally(() => process.exit(1)));
const chosen = process.argv.slice(2);
try {
  await runAll(chosen.length > 0 ? chosen : Object.keys(legs));
  const inOrder = Object.keys(legs).flatMap((name) => {
    const verdict = verdicts.get(name);
    return verdict ? [[name, verdict] as const] : [];
  });
  console.log(`\n${table(new Map(inOrder))}`);
  if (inOrder.some(([, { surprises }]) => surprises.length > 0)) {
    console.log(`\nWhat the suite said is in ${output}.`);
    process.exitCode = 1;
  } else rmSync(output, { recursive: true, force: true });
} finally {
  await cleanUp();
}
