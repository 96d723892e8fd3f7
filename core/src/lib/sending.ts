import { AsyncLocalStorage } from 'node:async_hooks';

const sending = new AsyncLocalStorage<string>();

/** Runs what sends something under a name; whatever runs because of it, such as reading the answer, has that name. */
export const sendingAs = <T>(name: string, run: () => T): T => sending.run(name, run);
/** Runs what sends something that has no name. */
export const sendingNameless = <T>(run: () => T): T => sending.exit(run);
/** The name of what runs now, or undefined. */
export const sentAs = (): string | undefined => sending.getStore();
