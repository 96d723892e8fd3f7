import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { ROOT } from '../harness/peta.ts';

export type Check = {
  id: string;
  status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'INFO' | 'SKIPPED';
  description?: string;
  errorMessage?: string;
};
/** What the suite checked in each scenario that ran to its end. */
export type Results = ReadonlyMap<string, readonly Check[]>;

const SUITE = join(ROOT, 'node_modules/@modelcontextprotocol/conformance/dist/index.js');

/** The suite gives each scenario a folder, named for it and for the time. */
const scenarioOf = (folder: string): string =>
  folder.replace(/^server-/, '').replace(/-\d{4}-\d{2}-\d{2}T[\d-]+Z$/, '');

const readResults = (folder: string): Results => {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('checks.json'),
  );
  return new Map(
    files.map((file): [string, Check[]] => {
      const path = join(folder, file);
      return [scenarioOf(relative(folder, dirname(path))), JSON.parse(readFileSync(path, 'utf8'))];
    }),
  );
};

/** Runs the suite to its end; what it says is in `suite.log` of the folder. Its exit code is not asked: we judge ourselves. */
export const runSuite = async (
  args: readonly string[],
  folder: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Results> => {
  mkdirSync(folder, { recursive: true });
  const log = openSync(join(folder, 'suite.log'), 'w');
  const child = spawn(process.execPath, [SUITE, ...args, '--output-dir', folder], {
    env: { ...process.env, ...env },
    stdio: ['ignore', log, log],
  });
  try {
    await new Promise((done, fail) => child.on('error', fail).on('exit', done));
  } finally {
    closeSync(log);
  }
  return readResults(folder);
};
