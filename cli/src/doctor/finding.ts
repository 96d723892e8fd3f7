/** What the doctor found: what it is, and what to do about it. */
export type Finding = { state: 'ok' | 'warning' | 'wrong'; what: string; todo?: string };

export type Environment = Record<string, string | undefined>;
