import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Caller, FIRST_WORKSPACE } from '#call';
import { type Authenticate, bearerOf } from './rest.ts';

export type HealthPorts = {
  sessions(workspaceId: string): { active: number; total: number };
  /** Server id → its state in a word. */
  servers(workspaceId: string): Record<string, string>;
  /** Whether the database answers. */
  database(): Promise<boolean>;
};

const isLoopback = (address: string): boolean =>
  address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.');

/** A proxy on this machine speaks for others: whatever came through one came from elsewhere. */
const isFromHere = ({ ip, headers }: FastifyRequest): boolean =>
  isLoopback(ip) && !['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'].some((name) => name in headers);

const isAdministrator = (who: Caller | { code: string } | null): who is Caller =>
  who !== null && !('code' in who) && who.role < 3;

/** `GET /health`: everybody learns whether it is well, this machine and administrators also the rest. */
export const registerHealth = (app: FastifyInstance, ports: HealthPorts, authenticate: Authenticate): void => {
  app.get('/health', { config: { guard: 'open' } }, async (request, reply) => {
    const isWell = await ports.database();
    const status = isWell ? 'healthy' : 'degraded';
    if (!isWell) reply.code(503);
    const bearer = bearerOf(request);
    const who = bearer === undefined ? null : await authenticate(bearer, '/health', request.ip).catch(() => null);
    if (!isFromHere(request) && !isAdministrator(who)) return { status };
    const workspaceId = who && !('code' in who) ? who.workspaceId : FIRST_WORKSPACE;
    return {
      status,
      timestamp: new Date().toISOString(),
      uptime: Math.round(process.uptime()),
      sessions: ports.sessions(workspaceId),
      socketio: { onlineUsers: 0, totalConnections: 0 },
      servers: ports.servers(workspaceId),
      memory: process.memoryUsage(),
      database: isWell ? 'reachable' : 'unreachable',
    };
  });
};
