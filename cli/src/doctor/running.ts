import { ApiError, createClient, type Server } from '@peta/api';
import type { Target } from '../target.ts';
import type { Finding } from './finding.ts';

const CONNECTING = 2;
const ERROR = 3;
/** How long a server that is being started is given before it is judged. */
const PATIENCE_MS = 5_000;
const TIMEOUT_MS = 8_000;

const ask = async (url: string): Promise<{ status: string; database?: string } | undefined> => {
  try {
    const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    return (await response.json()) as { status: string; database?: string };
  } catch {
    return undefined;
  }
};

const checkDatabase = (database: string | undefined): Finding[] => {
  if (database === undefined) return [];
  if (database === 'reachable') return [{ state: 'ok', what: 'The database answers.' }];
  return [
    {
      state: 'wrong',
      what: 'Peta cannot reach its database.',
      todo: process.env.DATABASE_URL
        ? 'Check that the PostgreSQL of DATABASE_URL runs and lets Peta in; Peta goes on by itself once it does.'
        : 'Restart Peta: it starts its own PostgreSQL again.',
    },
  ];
};

/** Every server, once none of them is on its way any more, or patience has ended. */
const settledServers = async ({ url, token }: Target): Promise<Server[]> => {
  const api = createClient(url, token === undefined ? {} : { token });
  for (const deadline = Date.now() + PATIENCE_MS; ; await new Promise((done) => setTimeout(done, 200))) {
    const { servers } = await api.servers.list({});
    if (Date.now() > deadline || servers.every(({ status }) => status !== CONNECTING)) return servers;
  }
};

const checkServers = async (target: Target): Promise<Finding[]> => {
  const servers = await settledServers(target);
  if (servers.length === 0)
    return [
      {
        state: 'warning',
        what: 'No MCP server is registered.',
        todo: 'Add one: peta servers add files -- npx -y @modelcontextprotocol/server-filesystem .',
      },
    ];
  return servers.map(
    ({ serverId, status, statusReason }): Finding =>
      status === ERROR
        ? {
            state: 'wrong',
            what: `The server ${serverId} does not work: ${statusReason ?? 'no reason known'}`,
            todo: `See "peta servers logs ${serverId}". Peta tries again by itself.`,
          }
        : {
            state: 'ok',
            what: `The server ${serverId} is ${['online', 'stopped', 'connecting', '', 'sleeping until it is used'][status]}.`,
          },
  );
};

const checkOwner = async ({ url, token }: Target): Promise<Finding[]> => {
  const api = createClient(url, token === undefined ? {} : { token });
  const { owner } = await api.users.owner({});
  return owner
    ? [{ state: 'ok', what: `The owner is ${owner.name}.` }]
    : [{ state: 'warning', what: 'There is no owner yet.', todo: 'Open the link that "peta setup-link" prints.' }];
};

/** A Peta that should be running: does it answer, and is it well? */
export const checkRunning = async (target: Target): Promise<Finding[]> => {
  const health = await ask(target.url);
  if (!health)
    return [
      {
        state: 'wrong',
        what: `Peta does not answer at ${target.url}.`,
        todo: 'Start it with "npm start", or check the address.',
      },
    ];
  const findings: Finding[] = [
    { state: 'ok', what: `Peta answers at ${target.url}.` },
    ...checkDatabase(health.database),
  ];
  try {
    findings.push(...(await checkOwner(target)), ...(await checkServers(target)));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const todo =
      error instanceof ApiError && error.status === 401
        ? 'Give an administrator’s token with PETA_TOKEN to examine the rest.'
        : 'See the log of Peta.';
    findings.push({ state: 'warning', what: `The rest could not be examined: ${message}`, todo });
  }
  return findings;
};
