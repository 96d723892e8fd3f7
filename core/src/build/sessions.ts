import { createPostgresMail } from '../cluster/io/postgres-mail.ts';
import { withDatabase } from '../db/unavailable.ts';
import { sentenceOf } from '../lib/log.ts';
import { postgresSessions } from '../path/session/io/postgres-sessions.ts';
import { postgresStreams } from '../path/session/io/postgres-streams.ts';
import { createSessions, type Session } from '../path/session/sessions.ts';
import type { GatewayOptions } from './gateway.ts';

type Options = Pick<GatewayOptions, 'config' | 'db' | 'bus' | 'log' | 'instanceId' | 'sessionKey'> & {
  /** Names this process among those that serve the same clients. */
  processId: string;
  onEnd(session: Session): void;
  onChanged(hash: string): Promise<void>;
};

const SWEEP_MS = 30_000;
const ALIVE_MS = 3_000;
/** How long a client can come back to a stream after it has ended. */
const KEEP_STREAMS_MS = 600_000;

/** Sessions and what is said on their streams, kept for every process and for after a restart. */
export const buildSessions = async (options: Options) => {
  const { config, db, bus, log, instanceId, sessionKey, processId, onEnd, onChanged } = options;
  const mail = createPostgresMail({ db, processId, secret: sessionKey, publish: bus.publish, log });
  const streams = postgresStreams({ db, processId, instanceId });
  await withDatabase(streams.alive);
  const store = postgresSessions(db);
  const sessions = createSessions({
    store: {
      ...store,
      insert: (hash, session) => withDatabase(() => store.insert(hash, session)),
      find: (hash) => withDatabase(() => store.find(hash)),
      save: (hash, changes) => withDatabase(() => store.save(hash, changes)),
      remove: (hash) => withDatabase(() => store.remove(hash)),
    },
    now: Date.now,
    idleMs: config.PETA_SESSION_IDLE_SECONDS * 1000,
    onEnd,
    onChanged,
  });

  const every = (ms: number, what: string, run: () => Promise<void>) =>
    setInterval(() => {
      run().catch((error: unknown) => log.debug(`${what} failed`, { reason: sentenceOf(error) }));
    }, ms).unref();
  const timers = [
    every(SWEEP_MS, 'Sweeping sessions', sessions.sweep),
    every(SWEEP_MS, 'Sweeping streams', () => streams.sweep(KEEP_STREAMS_MS)),
    every(SWEEP_MS, 'Sweeping messages between processes', mail.sweep),
    every(ALIVE_MS, 'Saying that this process lives', streams.alive),
  ];

  return {
    sessions,
    streams,
    mail,
    async closeSessions(): Promise<void> {
      for (const timer of timers) clearInterval(timer);
      await streams.leave().catch(() => {});
    },
  };
};
