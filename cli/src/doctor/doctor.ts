import type { Command } from 'commander';
import { printJson, printLine } from '../print.ts';
import { findTarget, readMachineFile } from '../target.ts';
import { checkHome, checkNode, checkPort, checkSettings, type Finding } from './local.ts';
import { checkRunning } from './running.ts';

const MARK = { ok: '✓', warning: '!', wrong: '✗' } as const;

const examine = async (options: { url?: string; token?: string }): Promise<Finding[]> => {
  const machine = await readMachineFile();
  const isElsewhere = Boolean(options.url ?? process.env.PETA_URL);
  const local = isElsewhere ? [] : [...(await checkHome(process.env)), ...(await checkPort(process.env, machine?.url))];
  const target = await findTarget(options).catch(() => undefined);
  const running = target ? await checkRunning(target) : [];
  return [checkNode(process.versions.node), ...checkSettings(process.env), ...local, ...running];
};

export const addDoctor = (program: Command): void => {
  program
    .command('doctor')
    .description('find out what is wrong, and what to do about it')
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals();
      const findings = await examine(options);
      const isWrong = findings.some(({ state }) => state === 'wrong');
      if (options.json) printJson({ healthy: !isWrong, findings });
      else
        for (const { state, what, todo } of findings) {
          printLine(`${MARK[state]} ${what}`);
          if (todo) printLine(`    ${todo}`);
        }
      if (isWrong) process.exitCode = 1;
    });
};
