import type { Expected } from './expected.ts';
import type { Requirements } from './requirements.ts';
import type { Check, Results } from './suite.ts';

type Count = { passed: number; failed: number };

/** What became of a leg. */
export type Verdict = {
  scored: Count;
  notScored: Count;
  checks: Count;
  /** Scenarios that the suite itself leaves out. */
  skipped: number;
  /** How many scenarios failed as they were expected to. */
  expected: number;
  /** Sentences: what failed and should not have, what was expected to fail and did not. */
  surprises: string[];
};

type Failure = { check: string; why: string };

/** What is wrong in a scenario. One in which nothing was checked has failed, unless the suite leaves it out. */
const failuresIn = (checks: readonly Check[] | undefined): Failure[] => {
  if (!checks) return [{ check: 'end', why: 'did not run to its end' }];
  const bad = checks.filter(({ status }) => status === 'FAILURE' || status === 'WARNING');
  if (bad.length > 0)
    return bad.map(({ id, errorMessage, description = '' }) => ({ check: id, why: errorMessage ?? description }));
  const isChecked = checks.some(({ status }) => status === 'SUCCESS' || status === 'SKIPPED');
  return isChecked ? [] : [{ check: 'none', why: 'nothing could be checked' }];
};

const isSkipped = (checks: readonly Check[] | undefined): boolean =>
  checks !== undefined && checks.length > 0 && checks.every(({ status }) => status === 'SKIPPED' || status === 'INFO');

/** Holds what the suite found against what the revision demands and what is expected to fail. */
export const judge = (results: Results, requirements: Requirements, expected: readonly Expected[]): Verdict => {
  const verdict: Verdict = {
    scored: { passed: 0, failed: 0 },
    notScored: { passed: 0, failed: 0 },
    checks: { passed: 0, failed: 0 },
    skipped: 0,
    expected: 0,
    surprises: [],
  };
  const met = new Set<Expected>();
  const expectedOf = (scenario: string, check: string) =>
    expected.find((one) => one.scenario === scenario && (one.check === undefined || one.check === check));

  const take = (scenario: string, count: Count): void => {
    const checks = results.get(scenario);
    for (const { status } of checks ?? []) {
      if (status === 'SUCCESS') verdict.checks.passed += 1;
      if (status === 'FAILURE' || status === 'WARNING') verdict.checks.failed += 1;
    }
    const failures = failuresIn(checks);
    if (failures.length === 0 && isSkipped(checks)) verdict.skipped += 1;
    else if (failures.length === 0) count.passed += 1;
    else count.failed += 1;
    let isSurprise = false;
    for (const { check, why } of failures) {
      const known = expectedOf(scenario, check);
      if (known) met.add(known);
      else {
        isSurprise = true;
        verdict.surprises.push(`${scenario}: ${check}: ${why}`);
      }
    }
    if (failures.length > 0 && !isSurprise) verdict.expected += 1;
  };

  for (const scenario of requirements.scored) take(scenario, verdict.scored);
  for (const scenario of requirements.notScored) take(scenario, verdict.notScored);
  for (const one of expected)
    if (!met.has(one))
      verdict.surprises.push(
        `${one.scenario}${one.check === undefined ? '' : `:${one.check}`} is expected to fail and does not: take it off the list.`,
      );
  return verdict;
};
