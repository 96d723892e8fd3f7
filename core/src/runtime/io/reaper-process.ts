/**
 * Outlives Peta by a moment: told over standard input which process groups live (`+pid`, `-pid`), it ends them all when
 * that input closes, which it does however Peta ended.
 */
import { createInterface } from 'node:readline';

const GRACE_MS = 2_000;
const groups = new Set<number>();

const signal = (name: NodeJS.Signals): boolean => {
  let isAnyLeft = false;
  for (const group of groups) {
    try {
      process.kill(-group, name);
      isAnyLeft = true;
    } catch {
      groups.delete(group);
    }
  }
  return isAnyLeft;
};

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => {});

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const pid = Number(line.slice(1));
  if (!Number.isInteger(pid) || pid <= 1) return;
  if (line.startsWith('+')) groups.add(pid);
  else groups.delete(pid);
});
lines.on('close', () => {
  if (!signal('SIGTERM')) process.exit(0);
  setTimeout(() => {
    signal('SIGKILL');
    process.exit(0);
  }, GRACE_MS);
});
