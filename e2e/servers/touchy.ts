/** An old server that ends when it is asked anything before initialize. */
import { servePlain, text, tool } from './plain-stdio.ts';

process.stdin.once('data', (chunk) => {
  if (!String(chunk).includes('"initialize"')) process.exit(9);
});
servePlain(
  () => [tool('speak')],
  () => ({ result: text('still here') }),
);
