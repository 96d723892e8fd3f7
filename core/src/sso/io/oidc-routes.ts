import type { FastifyInstance, FastifyReply } from 'fastify';
import type { z } from 'zod';
import type { OidcProvider } from '../provider.ts';
import { random } from '../steps.ts';
import { notBegun, switchedOff } from '../turned-away.ts';
import { browserOf, markBrowser } from './browser.ts';
import { OidcStep } from './oidc.ts';
import { at, go, OPEN, PATH, type Pages, type Place, type Request, text } from './pages.ts';
import type { SsoPorts } from './ports.ts';

/** Comes back from an OpenID provider; what it answers is how somebody is sent there. */
export const registerOidc = (app: FastifyInstance, { oidc, steps, baseUrl }: SsoPorts, pages: Pages) => {
  const { page, find, addressOf, admit, isSecure } = pages;

  app.get<Place>(
    `${PATH}/callback`,
    { config: OPEN },
    page(async (request, reply, seen) => {
      const provider = await find(request);
      const mark = browserOf(request, isSecure());
      const state = text(request.query.state);
      const step = OidcStep.safeParse(mark && state && (await steps.take(at(request), `${mark} ${state}`)));
      if (!step.success) throw notBegun();
      const { revision, next, nonce, verifier } = step.data;
      seen.next = next;
      if (provider.kind !== 'oidc' || !provider.enabled || provider.revision !== revision) throw switchedOff();
      const currentUrl = new URL(`${addressOf(provider)}/callback${new URL(request.url, baseUrl()).search}`);
      const vouched = await oidc.finish(provider, { currentUrl, state, nonce, verifier });
      return admit(request, reply, provider, vouched, next);
    }),
  );

  return async (request: Request, reply: FastifyReply, provider: OidcProvider, next: string) => {
    const state = random();
    const redirectUri = `${addressOf(provider)}/callback`;
    const { url, nonce, verifier } = await oidc.begin(provider, { redirectUri, state });
    const mark = markBrowser(request, reply, isSecure());
    const step: z.input<typeof OidcStep> = { revision: provider.revision, next, nonce, verifier };
    await steps.put(at(request), `${mark} ${state}`, step);
    return go(reply, url.href);
  };
};
