import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A failure that is known, and why it is let be. Without `check` the whole scenario may fail. */
export type Expected = { scenario: string; check: string | undefined; reason: string };

/**
 * Reads a list of expected failures in the suite's own format: `- scenario` or `- scenario:check`. The comment above a
 * line is its reason and that of the lines that follow it without a gap. Throws when a line has none.
 */
export const parseExpected = (text: string): Expected[] => {
  const found: Expected[] = [];
  let reason: string[] = [];
  let isOpen = false;
  for (const line of text.split('\n')) {
    const comment = /^ *# ?(.*)$/.exec(line)?.[1];
    const entry = /^ *- ([^\s:]+)(?::(\S+))?$/.exec(line);
    if (comment !== undefined) {
      reason = isOpen ? [...reason, comment] : [comment];
      isOpen = true;
    } else if (entry) {
      if (reason.length === 0) throw new Error(`The expected failure "${line.trim()}" has no reason above it.`);
      found.push({ scenario: entry[1] ?? '', check: entry[2], reason: reason.join(' ') });
      isOpen = false;
    } else {
      reason = [];
      isOpen = false;
      if (line.trim() !== '' && !/^(client|server):$/.test(line))
        throw new Error(`A list of expected failures does not hold lines like "${line}".`);
    }
  }
  return found;
};

/** What is expected to fail in a leg; a leg without a file has nothing. */
export const readExpected = (leg: string): Expected[] => {
  const path = join(import.meta.dirname, `expected-failures-${leg}.yaml`);
  return existsSync(path) ? parseExpected(readFileSync(path, 'utf8')) : [];
};
