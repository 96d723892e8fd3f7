import { connect, createServer } from 'node:net';
import type { Environment, Finding } from './finding.ts';

const DEFAULT_PORT = 3002;
const POSTGRES_PORT = 5432;
const TIMEOUT_MS = 3_000;

const isFree = (host: string, port: number): Promise<boolean> =>
  new Promise((done) => {
    const server = createServer()
      .once('error', () => done(false))
      .listen(port, host, () => server.close(() => done(true)));
  });

const isPeta = async (url: string): Promise<boolean> => {
  try {
    const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const body: unknown = await response.json();
    return typeof body === 'object' && body !== null && 'status' in body;
  } catch {
    return false;
  }
};

/** The port, when no Peta runs on this folder: free for a start, or taken, and by whom. */
export const checkPort = async (env: Environment): Promise<Finding[]> => {
  const port = Number(env.BACKEND_PORT || DEFAULT_PORT);
  if (port === 0) return [];
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    return [
      {
        state: 'wrong',
        what: `BACKEND_PORT=${env.BACKEND_PORT} is no port.`,
        todo: 'Set it to a number from 0 to 65535.',
      },
    ];
  const host = env.PETA_HOST || '127.0.0.1';
  if (await isFree(host, port)) return [{ state: 'ok', what: `The port ${port} is free.` }];
  const isOurs = await isPeta(`http://${host.includes(':') ? `[${host}]` : host}:${port}`);
  return [
    {
      state: 'wrong',
      what: `The port ${port} is in use by ${isOurs ? 'a Peta of another folder' : 'another program'}.`,
      todo: isOurs
        ? 'Set PETA_HOME to its folder to use it, or BACKEND_PORT to another port to start a second one.'
        : 'Stop it, or set BACKEND_PORT to another port (0 takes a free one).',
    },
  ];
};

const reaches = (host: string, port: number): Promise<string | undefined> =>
  new Promise((done) => {
    const socket = connect({ host, port, timeout: TIMEOUT_MS })
      .once('connect', () => finish(undefined))
      .once('timeout', () => finish('no answer'))
      .once('error', (error: NodeJS.ErrnoException) => finish(error.code ?? error.message));
    const finish = (reason: string | undefined): void => {
      socket.destroy();
      done(reason);
    };
  });

/** The PostgreSQL of DATABASE_URL, as far as a connection shows it; its password is never shown. */
export const checkDatabaseUrl = async (env: Environment): Promise<Finding[]> => {
  if (!env.DATABASE_URL) return [];
  if (!URL.canParse(env.DATABASE_URL))
    return [
      {
        state: 'wrong',
        what: 'DATABASE_URL is no address.',
        todo: 'Write it as postgres://user:password@host:5432/database, special characters percent-encoded.',
      },
    ];
  const { hostname, port } = new URL(env.DATABASE_URL);
  const host = hostname.replace(/^\[|\]$/g, '') || 'localhost';
  const place = `${host}:${port || POSTGRES_PORT}`;
  const reason = await reaches(host, Number(port || POSTGRES_PORT));
  if (reason === undefined) return [{ state: 'ok', what: `Something listens at ${place}, where DATABASE_URL points.` }];
  return [
    {
      state: 'wrong',
      what: `Nothing can be reached at ${place}, where DATABASE_URL points (${reason}).`,
      todo: 'Start that PostgreSQL or correct DATABASE_URL; without it Peta brings a PostgreSQL of its own.',
    },
  ];
};
