/** Starts a grandchild that ignores both the end of its input and SIGTERM; its pid is told by a tool. */
import { spawn } from 'node:child_process';
import { servePlain, text, tool } from './plain-stdio.ts';

const stubborn = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000);";
const child = spawn(process.execPath, ['-e', stubborn], { stdio: 'ignore' });

servePlain(
  () => [tool('pid')],
  () => ({ result: text(String(child.pid)) }),
);
