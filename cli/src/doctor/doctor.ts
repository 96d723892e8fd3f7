import type { Command } from 'commander';
import { plain, printJson, printLine } from '../print.ts';
import { findTarget, homeOf, readMachineFile, type TargetOptions } from '../target.ts';
import type { Finding } from './finding.ts';
import { checkHome, checkNode, checkSettings } from './local.ts';
import { checkDatabaseUrl, checkPort } from './network.ts';
import { checkRunning } from './running.ts';

const MARK = { ok: '✓', warning: '!', wrong: '✗' } as const;

/** This machine, and the Peta of this folder when one should run. */
const examineHere = async (options: TargetOptions): Promise<Finding[]> => {
  const here = [...checkSettings(process.env), ...(await checkHome()), ...(await checkDatabaseUrl(process.env))];
  const machine = await readMachineFile();
  if (!machine) {
    const what = `No Peta runs on ${homeOf()}.`;
    return [...here, ...(await checkPort(process.env)), { state: 'warning', what, todo: 'Start it with "npm start".' }];
  }
  return [...here, ...(await checkRunning(await findTarget(options)))];
};

export const addDoctor = (program: Command): void => {
  program
    .command('doctor')
    .description('find out what is wrong, and what to do about it')
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<TargetOptions & { json?: boolean }>();
      const isElsewhere = Boolean(options.url || process.env.PETA_URL);
      const examined = isElsewhere ? await checkRunning(await findTarget(options)) : await examineHere(options);
      const findings = [checkNode(process.versions.node), ...examined];
      const isWrong = findings.some(({ state }) => state === 'wrong');
      if (options.json) printJson({ healthy: !isWrong, findings });
      else
        for (const { state, what, todo } of findings) {
          printLine(`${MARK[state]} ${plain(what)}`);
          if (todo) printLine(`    ${plain(todo)}`);
        }
      if (isWrong) process.exitCode = 1;
    });
};
