import type pg from 'pg';
import { currentWorkspace } from './db.ts';

/** The role that connections take on where the one they sign in with would be let through every wall. */
export const APP_ROLE = 'peta_app';

const ENTER = `select set_config('peta.workspace', $1, false)`;
/** The same for a connection that is new. */
const BEGIN = `${ENTER}, (
  select set_config('role', app.rolname, false) from pg_roles me, pg_roles app
  where me.rolname = session_user and (me.rolsuper or me.rolbypassrls)
    and app.rolname = '${APP_ROLE}' and pg_has_role(me.oid, app.oid, 'member'))`;

type Callback = Parameters<pg.Pool['connect']>[0];

/**
 * Tells each connection, as it is taken from the pool, for which workspace it works; the policies of the tables hold it
 * to that. One that was told the same before is not told again.
 */
export const wall = (pool: pg.Pool): void => {
  const told = new WeakMap<pg.PoolClient, string>();
  const take = pool.connect.bind(pool) as unknown as () => Promise<pg.PoolClient>;
  // A connection may be lost at any moment, also while nobody asks anything of it.
  pool.on('connect', (client) => client.on('error', () => {}));

  const takeAndTell = async (): Promise<pg.PoolClient> => {
    const workspace = currentWorkspace();
    const client = await take();
    const before = told.get(client);
    if (before === workspace) return client;
    try {
      await client.query(before === undefined ? BEGIN : ENTER, [workspace]);
      told.set(client, workspace);
      return client;
    } catch (error) {
      client.release(true);
      throw error;
    }
  };

  const connect = (callback?: Callback): Promise<pg.PoolClient> | undefined => {
    const taken = takeAndTell();
    if (!callback) return taken;
    taken.then(
      (client) => callback(undefined, client, client.release),
      (error: Error) => callback(error, undefined, () => {}),
    );
  };
  Object.assign(pool, { connect });
};
