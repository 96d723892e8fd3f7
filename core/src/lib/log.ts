type Say = (message: string, facts?: object) => void;

/** Where operational messages go. Facts are for machines and never hold secrets. */
export type Log = { debug: Say; info: Say; warn: Say; error: Say };

export const silentLog: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** What an error says, for a log line or a reason. */
export const sentenceOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
