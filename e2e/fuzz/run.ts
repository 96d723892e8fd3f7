import { readFileSync } from 'node:fs';
import type { RunningPeta } from '../harness/peta.ts';
import { callTool } from '../harness/raw.ts';

/** Set FUZZ_SEED to repeat a run, FUZZ_MESSAGES for a longer one. */
export const SEED = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31);
export const MESSAGES = Number(process.env.FUZZ_MESSAGES ?? 6_000);
/** Within which everything is answered. */
export const PATIENCE_MS = 10_000;

/** What is left for the collector differs by more than that when little was sent. */
const MAX_GROWTH_MB = 200;
const MAX_SHOWN = 10;

/** Resident memory of a process in MB. */
const residentMb = (pid: number): number => {
  const [, kilobytes = '0'] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) / 1024;
};

/** Sends one message, and says what is wrong with how it was answered. `count` is how many messages that were. */
export type Send = (index: number) => Promise<{ count: number; problem?: string | undefined }>;

/** Sends until so many messages are through, some at once, and returns what went wrong and how memory grew. */
export const storm = async (peta: RunningPeta, send: Send, parallel: number, messages = MESSAGES) => {
  const problems: string[] = [];
  const startedAt = Date.now();
  let index = 0;
  let sent = 0;
  let warmMb = 0;
  const work = async () => {
    while (sent < messages && problems.length < MAX_SHOWN) {
      const mine = index;
      index += 1;
      const { count, problem } = await send(mine).catch((error: unknown) => ({ count: 1, problem: String(error) }));
      sent += count;
      if (problem !== undefined) problems.push(`message ${mine} of FUZZ_SEED=${SEED}: ${problem}`);
      if (warmMb === 0 && sent >= messages / 3) warmMb = residentMb(peta.pid);
    }
  };
  await Promise.all(Array.from({ length: parallel }, work));
  const seconds = (Date.now() - startedAt) / 1000;
  const endMb = residentMb(peta.pid);
  return { problems, sent, seconds, warmMb, endMb };
};

/** One line of what a storm was like. */
export const report = (name: string, { sent, seconds, warmMb, endMb }: Awaited<ReturnType<typeof storm>>): void => {
  const rate = Math.round(sent / seconds);
  console.log(
    `${name}: ${sent} messages in ${seconds.toFixed(1)} s (${rate}/s), ${Math.round(warmMb)} MB after a third, ${Math.round(endMb)} MB at the end, FUZZ_SEED=${SEED}`,
  );
};

/** What must hold after a storm: undefined, or what does not. */
export const aftermath = async (
  peta: RunningPeta,
  token: string,
  { problems, warmMb, endMb }: Awaited<ReturnType<typeof storm>>,
): Promise<string[]> => {
  const found = [...problems];
  const { text } = await callTool(peta.mcpUrl, token, 'fast__echo', { text: 'still alive' });
  if (!text.includes('still alive')) found.push(`A plain call is not answered any more: ${text.slice(0, 300)}`);
  if (endMb - warmMb > MAX_GROWTH_MB) found.push(`Memory grew from ${warmMb} to ${endMb} MB.`);
  const fault =
    /^.*(uncaught|unhandled|TypeError|RangeError|ReferenceError|out of memory|"level":(50|60|"error"|"fatal")).*$/im;
  const [line] = fault.exec(peta.stderr()) ?? [];
  if (line !== undefined) found.push(`Peta wrote: ${line.slice(0, 2_000)}`);
  return found;
};
