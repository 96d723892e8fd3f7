import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../harness/peta.ts';

export type Side = 'client' | 'server';

/** What a revision demands of one side, and what the suite runs beside that without counting it. */
export type Requirements = { scored: readonly string[]; notScored: readonly string[] };

const FOLDER = join(ROOT, 'node_modules/@modelcontextprotocol/conformance/requirements');

/** The lines of one top-level section of the suite's requirement files. */
const section = (text: string, name: string): string[] => {
  const lines = text.split('\n');
  const start = lines.indexOf(`${name}:`);
  if (start < 0) throw new Error(`The suite's requirements have no section ${name}.`);
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => /^\S/.test(line) && !line.startsWith('#'));
  return end < 0 ? rest : rest.slice(0, end);
};

/** Reads the file that the suite brings for a revision. */
export const readRequirements = (revision: string, side: Side): Requirements => {
  const text = readFileSync(join(FOLDER, `${revision}.yaml`), 'utf8');
  const scored = section(text, side).flatMap((line) => /^ +- (\S+)$/.exec(line)?.[1] ?? []);
  const others = section(text, 'not_scored').join('\n');
  const notScored = [...others.matchAll(/- scenario: (\S+)\n +leg: (\S+)/g)];
  return { scored, notScored: notScored.flatMap(([, name = '', of]) => (of === side ? [name] : [])) };
};
