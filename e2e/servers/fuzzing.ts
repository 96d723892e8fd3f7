/** Writes mutated messages before it answers: `lines` of them for each call of `storm`, from the seed it is started with. */
import { fromServer } from '../fuzz/messages.ts';
import { mutate } from '../fuzz/mutate.ts';
import { randomFor } from '../fuzz/random.ts';
import { servePlain, text, tool } from './plain-stdio.ts';

const seed = Number(process.argv[2]);

servePlain(
  () => [tool('storm')],
  ({ id, params }) => {
    const { index = 0, lines = 0 } = (params?.arguments ?? {}) as { index?: number; lines?: number };
    const random = randomFor(seed, index);
    for (let line = 0; line < lines; line += 1) {
      process.stdout.write(mutate(random.pick(fromServer(id)), random));
      process.stdout.write('\n');
    }
    return { result: text('weathered') };
  },
);
