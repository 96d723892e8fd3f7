import type { FastifyInstance } from 'fastify';
import { noProvider } from '../turned-away.ts';
import { registerOidc } from './oidc-routes.ts';
import { createPages, go, OPEN, PATH, type Place } from './pages.ts';
import type { SsoPorts } from './ports.ts';
import { registerSaml } from './saml-routes.ts';

/** The pages of single sign-on: begin at a provider, come back from it. */
export const registerSso = (app: FastifyInstance, ports: SsoPorts): void => {
  const pages = createPages(ports);
  const beginOidc = registerOidc(app, ports, pages);
  const beginSaml = registerSaml(app, ports, pages);
  const { page, find, addressOf } = pages;

  app.get<Place>(
    PATH,
    { config: OPEN },
    page(async (request, reply, { next }) => {
      const provider = await find(request);
      if (!provider.enabled) throw noProvider();
      // The provider sends people back to our own address, and only that one has the browser's mark then.
      if (request.headers.host !== new URL(ports.baseUrl()).host && request.query.here === undefined)
        return go(reply, `${addressOf(provider)}?${new URLSearchParams({ next, here: '1' })}`);
      return provider.kind === 'oidc'
        ? beginOidc(request, reply, provider, next)
        : beginSaml(request, reply, provider, next);
    }),
  );
};
