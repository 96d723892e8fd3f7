import type { FastifyInstance, FastifyReply } from 'fastify';
import type { z } from 'zod';
import type { SamlProvider } from '../provider.ts';
import { random } from '../steps.ts';
import { noProvider, notBegun, notBelieved, switchedOff } from '../turned-away.ts';
import { browserOf, markBrowser } from './browser.ts';
import { at, go, OPEN, PATH, type Pages, type Place, type Request, text } from './pages.ts';
import type { SsoPorts } from './ports.ts';
import { type SamlAddresses, SamlAnswer, SamlStep } from './saml.ts';

const ANSWER_MS = 2 * 60_000;
const MAX_FORM_BYTES = 1_000_000;

/** Takes answers of SAML providers, and says who we are; what it answers is how somebody is sent to one. */
export const registerSaml = (app: FastifyInstance, { saml, steps }: SsoPorts, pages: Pages) => {
  const { page, find, addressOf, admit, isSecure } = pages;
  const addressesOf = (provider: SamlProvider): SamlAddresses => ({
    entityId: `${addressOf(provider)}/metadata`,
    acs: `${addressOf(provider)}/acs`,
  });

  const findSaml = async (request: Request): Promise<SamlProvider> => {
    const provider = await find(request);
    if (provider.kind !== 'saml' || !provider.enabled) throw noProvider();
    return provider;
  };

  app.get<Place>(
    `${PATH}/metadata`,
    { config: OPEN },
    page(async (request, reply) => {
      const provider = await findSaml(request);
      return reply
        .type('application/samlmetadata+xml; charset=utf-8')
        .header('cache-control', 'no-store')
        .send(saml.metadata(provider, addressesOf(provider)));
    }),
  );

  /** The form of another site brings no cookie of ours along, so that the browser comes again for what it says. */
  const takeForm = async (request: Request, reply: FastifyReply): Promise<unknown> => {
    const provider = await findSaml(request);
    const posted = new URLSearchParams(text(request.body)).get('SAMLResponse') ?? '';
    const { assertionId, until, inResponseTo, vouched } = await saml.read(provider, addressesOf(provider), posted);
    if (inResponseTo === undefined) {
      // What nobody asked for is not believed, but may be a reason to ask.
      if (provider.settings.idpInitiated) return go(reply, addressOf(provider));
      throw notBelieved(provider.name, 'nobody here asked for it, and idpInitiated is off');
    }
    if (!(await steps.claim(at(request), assertionId, new Date(until))))
      throw notBelieved(provider.name, 'the assertion was used already');
    const handle = random();
    const answer: z.input<typeof SamlAnswer> = {
      revision: provider.revision,
      requestId: inResponseTo,
      vouched: { ...vouched, groups: [...vouched.groups] },
    };
    await steps.put(at(request), `answer ${handle}`, answer, ANSWER_MS);
    return go(reply, `${addressOf(provider)}/answer?answer=${handle}`);
  };

  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string', bodyLimit: MAX_FORM_BYTES },
      (_request, body, done) => done(null, body),
    );
    scope.post<Place>(`${PATH}/acs`, { config: { ...OPEN, takesForeignForms: true } }, page(takeForm, 403));
  });

  app.get<Place>(
    `${PATH}/answer`,
    { config: OPEN },
    page(async (request, reply, seen) => {
      const provider = await find(request);
      const answer = SamlAnswer.safeParse(await steps.take(at(request), `answer ${text(request.query.answer)}`));
      const mark = browserOf(request, isSecure());
      if (!answer.success || !mark) throw notBegun();
      const { requestId, revision, vouched } = answer.data;
      const step = SamlStep.safeParse(await steps.take(at(request), `${mark} ${requestId}`));
      if (!step.success) throw notBegun();
      seen.next = step.data.next;
      const isAsBegun = [revision, step.data.revision].every((one) => one === provider.revision);
      if (!provider.enabled || !isAsBegun) throw switchedOff();
      return admit(request, reply, provider, vouched, seen.next);
    }),
  );

  return async (request: Request, reply: FastifyReply, provider: SamlProvider, next: string) => {
    const requestId = `_${random()}`;
    const url = await saml.begin(provider, addressesOf(provider), requestId);
    const mark = markBrowser(request, reply, isSecure());
    const step: z.input<typeof SamlStep> = { revision: provider.revision, next };
    await steps.put(at(request), `${mark} ${requestId}`, step);
    return go(reply, url);
  };
};
