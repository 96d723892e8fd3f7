/** Prints noise on standard output between its messages. */
import { servePlain, text, tool } from './plain-stdio.ts';

const noise = () => process.stdout.write('starting up...\n{"not": "a message"}\n\n[1,2\n\u001b[31mred\u001b[0m\n');

noise();
servePlain(
  () => {
    noise();
    return [tool('speak')];
  },
  () => {
    noise();
    return { result: text('through the noise') };
  },
);
