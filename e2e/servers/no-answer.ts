/** Starts and lists, but never answers a call. */
import { servePlain, tool } from './plain-stdio.ts';

servePlain(
  () => [tool('wait')],
  () => undefined,
);
