import type { KeptSession, SessionStore } from './sessions.ts';

/** Sessions kept in memory, as several processes would find them in the database. */
export const memoryStore = (): SessionStore & { kept: Map<string, KeptSession> } => {
  const kept = new Map<string, KeptSession>();
  return {
    kept,
    insert: async (hash, session) => void kept.set(hash, { ...session }),
    find: async (hash) => kept.get(hash),
    async save(hash, changes) {
      const session = kept.get(hash);
      if (session) kept.set(hash, { ...session, ...changes });
    },
    used: async () => {},
    remove: async (hash) => void kept.delete(hash),
    sweep: async () => {},
  };
};
