import { readFile } from 'node:fs/promises';
import Fastify, { type FastifyInstance } from 'fastify';
import { type HostRules, isAllowedHost, isAllowedOrigin } from '../hosts.ts';

export type Route = { method: string; url: string; guard: string };

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may use the route. A route without one does not start. */
    guard?: string;
    /** Pages of other sites may send forms here: what they send proves itself, and no cookie is looked at. */
    takesForeignForms?: boolean;
  }
}

type Options = {
  hosts: HostRules;
  tls: { certPath: string; keyPath: string } | undefined;
  maxBodyBytes: number;
  onFault(error: unknown): void;
};

const forbidden = (what: string) => ({
  error: 'Forbidden',
  code: 'FOREIGN_ORIGIN',
  message: `This ${what} may not call. If it is yours, name it in PETA_ALLOWED_HOSTS or PETA_ALLOWED_ORIGINS.`,
});

/**
 * The one HTTP application. Every route declares its guard, and none is reached with a foreign Host or Origin.
 * `routes` lists what was registered.
 */
export const createApp = async ({ hosts, tls, maxBodyBytes, onFault }: Options) => {
  const routes: Route[] = [];
  const https = tls && { cert: await readFile(tls.certPath), key: await readFile(tls.keyPath) };
  const options = {
    bodyLimit: maxBodyBytes,
    forceCloseConnections: true,
    requestTimeout: 0,
    return503OnClosing: true,
    routerOptions: { maxParamLength: 500 },
  };
  // Both kinds of server serve the same application; only the socket differs.
  const app = (https ? Fastify({ ...options, https }) : Fastify(options)) as unknown as FastifyInstance;

  app.addHook('onRoute', ({ method, url, config }) => {
    const { guard } = config ?? {};
    if (!guard) throw new Error(`The route ${String(method)} ${url} has no guard: say in its config who may use it.`);
    for (const one of Array.isArray(method) ? method : [method])
      if (one !== 'HEAD') routes.push({ method: one, url, guard });
  });

  app.addHook('onRequest', async (request, reply) => {
    const { host, origin } = request.headers;
    reply.header('x-content-type-options', 'nosniff');
    if (!isAllowedHost(host, hosts)) return reply.code(403).send(forbidden('Host'));
    const isForeign = !isAllowedOrigin(origin, host, hosts);
    if (isForeign && !request.routeOptions.config.takesForeignForms) return reply.code(403).send(forbidden('Origin'));
  });

  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ error: 'Not Found', code: 'NOT_FOUND', message: 'There is nothing at this address.' }),
  );

  app.setErrorHandler((error: Error & { statusCode?: number; code?: string }, _request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) onFault(error);
    const message = status >= 500 ? 'Peta failed to answer this request. Its log says why.' : error.message;
    return reply.code(status).send({ error: 'Error', code: error.code ?? 'INTERNAL_ERROR', message });
  });

  return { app, routes };
};
