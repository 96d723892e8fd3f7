import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { networkOf } from '#lib/network';
import type { RateLimit } from '#lib/rate-limit';
import { Unavailable } from '#lib/unavailable';
import { createAdmit, type PeopleStore } from '../admit.ts';
import { localPath } from '../local-path.ts';
import type { OidcProvider, Provider, ProviderStore, SamlProvider, Vouched } from '../provider.ts';
import { random, type Steps } from '../steps.ts';
import { noProvider, notBegun, notBelieved, switchedOff, TurnedAway, tooMany } from '../turned-away.ts';
import { browserOf, markBrowser } from './browser.ts';
import { type Oidc, OidcStep } from './oidc.ts';
import { type Saml, type SamlAddresses, SamlAnswer, SamlStep } from './saml.ts';
import { sendTurnedAway } from './turned-away-page.ts';

/** What is written down of single sign-on. */
export type SsoRecord = {
  workspaceId: string;
  providerId: string;
  /** Null for somebody of whom it is not known who they are. */
  userId: string | null;
  role: number;
  address: string;
  operation: 'sso.signIn' | 'sso.created' | 'sso.linked' | 'sso.changed';
  details: object;
  outcome: 'done' | 'refused';
  error?: string;
};

/** Begins a browser's session, and sets its cookie. */
export type SignIns = {
  begin(
    request: FastifyRequest,
    reply: FastifyReply,
    who: { workspaceId: string; userId: string; methods: string[]; providerId: string },
  ): Promise<unknown>;
};

export type SsoPorts = {
  providers: ProviderStore;
  people: PeopleStore;
  steps: Steps;
  oidc: Oidc;
  saml: Saml;
  signIns: SignIns;
  /** What a browser reaches us by, without a trailing slash. */
  baseUrl(): string;
  audit(record: SsoRecord): Promise<void>;
  publish(change: { topic: 'user'; workspaceId: string; id: string }): Promise<void>;
  /** Turns a database that is away into a sentence. */
  withDatabase<T>(use: () => Promise<T>): Promise<T>;
  take: RateLimit;
  /** Milliseconds since the epoch. */
  now(): number;
};

const PATH = '/sign-in/sso/:workspace/:provider';
const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const PER_MINUTE = 300;
const ANSWER_MS = 2 * 60_000;
const MAX_FORM_BYTES = 1_000_000;
/** Turned away where nobody could have signed in: not worth the log of whoever is named in the address. */
const UNWRITTEN = new Set(['no-provider', 'too-many']);
const OPEN = { guard: 'open' };

type Place = { Params: { workspace: string; provider: string }; Querystring: Record<string, unknown> };
type Request = FastifyRequest<Place>;

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** The pages of single sign-on: begin at a provider, come back from it. */
export const registerSso = (app: FastifyInstance, ports: SsoPorts): void => {
  const { providers, people, steps, oidc, saml, signIns, baseUrl, audit, publish, withDatabase, take, now } = ports;
  const isSecure = () => baseUrl().startsWith('https:');
  const at = ({ params }: Request) => ({ workspaceId: params.workspace, providerId: params.provider });
  const addressOf = ({ workspaceId, id }: Pick<Provider, 'workspaceId' | 'id'>) =>
    `${baseUrl()}/sign-in/sso/${workspaceId}/${id}`;
  const samlAddresses = (provider: SamlProvider): SamlAddresses => ({
    entityId: `${addressOf(provider)}/metadata`,
    acs: `${addressOf(provider)}/acs`,
  });

  const find = async (request: Request): Promise<Provider> => {
    const { workspaceId, providerId } = at(request);
    if (!ID.test(workspaceId) || !ID.test(providerId)) throw noProvider();
    const provider = await providers.find(workspaceId, providerId);
    if (!provider?.enabled) throw noProvider();
    return provider;
  };

  /** The provider as it was when the step was taken, or nobody goes on. */
  const findAsBegun = async (request: Request, revision: string): Promise<Provider> => {
    const { workspaceId, providerId } = at(request);
    const provider = await providers.find(workspaceId, providerId);
    if (!provider?.enabled || provider.revision !== revision) throw switchedOff();
    return provider;
  };

  const go = (reply: FastifyReply, url: string): FastifyReply =>
    reply.header('cache-control', 'no-store').header('referrer-policy', 'no-referrer').redirect(url, 303);

  const page =
    (handle: (request: Request, reply: FastifyReply, seen: { next: string }) => Promise<unknown>, status?: number) =>
    async (request: Request, reply: FastifyReply): Promise<unknown> => {
      const { workspaceId, providerId } = at(request);
      const seen = { next: localPath(request.query.next) };
      try {
        if (!take(`sso ${networkOf(request.ip)}`, PER_MINUTE)) throw tooMany();
        return await withDatabase(() => handle(request, reply, seen));
      } catch (error) {
        if (error instanceof Unavailable) {
          const advice = 'If it goes on, tell an administrator of Peta.';
          const away = { code: 'unavailable', message: error.message, advice };
          return sendTurnedAway(reply, away, { workspaceId, next: seen.next, status: status ?? 503 });
        }
        if (!(error instanceof TurnedAway)) throw error;
        const { code, message, remark, userId = null } = error;
        const reason = `${code}: ${message}${remark === undefined ? '' : ` (${remark})`}`;
        const record = { workspaceId, providerId, userId, role: 3, address: request.ip, details: {} };
        if (!UNWRITTEN.has(code))
          await audit({ ...record, operation: 'sso.signIn', outcome: 'refused', error: reason });
        return sendTurnedAway(reply, error, { workspaceId, next: seen.next, status });
      }
    };

  /** Signs in whom the provider vouches for. */
  const admit = async (request: Request, reply: FastifyReply, provider: Provider, vouched: Vouched, next: string) => {
    const { workspaceId, id: providerId, kind } = provider;
    const record = { workspaceId, providerId, address: request.ip, outcome: 'done' as const };
    const { userId, role } = await createAdmit({
      people,
      now,
      note: (what, userId, details) => audit({ ...record, userId, role: 3, operation: `sso.${what}`, details }),
      changed: (workspaceId, id) => publish({ topic: 'user', workspaceId, id }),
    })(provider, vouched);
    await audit({
      ...record,
      userId,
      role,
      operation: 'sso.signIn',
      details: { method: kind, subject: vouched.subject },
    });
    await signIns.begin(request, reply, { workspaceId, userId, methods: [kind], providerId });
    return go(reply, next);
  };

  const beginOidc = async (request: Request, reply: FastifyReply, provider: OidcProvider, next: string) => {
    const state = random();
    const redirectUri = `${addressOf(provider)}/callback`;
    const { url, nonce, verifier } = await oidc.begin(provider, { redirectUri, state });
    const mark = markBrowser(request, reply, isSecure());
    const step: typeof OidcStep._output = { revision: provider.revision, next, nonce, verifier };
    await steps.put(at(request), `${mark} ${state}`, step);
    return go(reply, url.href);
  };

  const beginSaml = async (request: Request, reply: FastifyReply, provider: SamlProvider, next: string) => {
    const requestId = `_${random()}`;
    const url = await saml.begin(provider, samlAddresses(provider), requestId);
    const mark = markBrowser(request, reply, isSecure());
    const step: typeof SamlStep._output = { revision: provider.revision, next };
    await steps.put(at(request), `${mark} ${requestId}`, step);
    return go(reply, url);
  };

  app.get<Place>(
    PATH,
    { config: OPEN },
    page(async (request, reply, { next }) => {
      const provider = await find(request);
      // The provider sends people back to our own address, and only that one has the browser's mark then.
      if (request.headers.host !== new URL(baseUrl()).host && request.query.here === undefined)
        return go(reply, `${addressOf(provider)}?${new URLSearchParams({ next, here: '1' })}`);
      return provider.kind === 'oidc'
        ? beginOidc(request, reply, provider, next)
        : beginSaml(request, reply, provider, next);
    }),
  );

  app.get<Place>(
    `${PATH}/callback`,
    { config: OPEN },
    page(async (request, reply, seen) => {
      const mark = browserOf(request, isSecure());
      const state = text(request.query.state);
      const step = OidcStep.safeParse(mark && state && (await steps.take(at(request), `${mark} ${state}`)));
      if (!step.success) throw notBegun();
      const { revision, next, nonce, verifier } = step.data;
      seen.next = next;
      const provider = await findAsBegun(request, revision);
      if (provider.kind !== 'oidc') throw switchedOff();
      const currentUrl = new URL(`${addressOf(provider)}/callback${new URL(request.url, baseUrl()).search}`);
      const vouched = await oidc.finish(provider, { currentUrl, state, nonce, verifier });
      return admit(request, reply, provider, vouched, next);
    }),
  );

  app.get<Place>(
    `${PATH}/metadata`,
    { config: OPEN },
    page(async (request, reply) => {
      const provider = await find(request);
      if (provider.kind !== 'saml') throw noProvider();
      return reply
        .type('application/samlmetadata+xml; charset=utf-8')
        .header('cache-control', 'no-store')
        .send(saml.metadata(provider, samlAddresses(provider)));
    }),
  );

  /** The browser that asked comes for the answer: the form of another site brought no cookie of ours along. */
  app.get<Place>(
    `${PATH}/answer`,
    { config: OPEN },
    page(async (request, reply, seen) => {
      const answer = SamlAnswer.safeParse(await steps.take(at(request), `answer ${text(request.query.answer)}`));
      const mark = browserOf(request, isSecure());
      if (!answer.success || !mark) throw notBegun();
      const { requestId, revision, vouched } = answer.data;
      const step = SamlStep.safeParse(await steps.take(at(request), `${mark} ${requestId}`));
      if (!step.success) throw notBegun();
      seen.next = step.data.next;
      if (step.data.revision !== revision) throw switchedOff();
      const provider = await findAsBegun(request, revision);
      return admit(
        request,
        reply,
        provider,
        { email: undefined, name: undefined, username: undefined, ...vouched },
        seen.next,
      );
    }),
  );

  const takeAnswer = async (request: Request, reply: FastifyReply): Promise<unknown> => {
    const provider = await find(request);
    if (provider.kind !== 'saml') throw noProvider();
    const form = new URLSearchParams(text(request.body));
    const addresses = samlAddresses(provider);
    const { assertionId, until, inResponseTo, vouched } = await saml.read(
      provider,
      addresses,
      form.get('SAMLResponse') ?? '',
    );
    if (inResponseTo === undefined) {
      // What nobody asked for is not believed, but may be a reason to ask.
      if (provider.settings.idpInitiated) return go(reply, addressOf(provider));
      throw notBelieved(provider.name, 'nobody here asked for it, and idpInitiated is off');
    }
    if (!(await steps.claim(at(request), assertionId, new Date(until))))
      throw notBelieved(provider.name, 'the assertion was used already');
    const handle = random();
    const answer: typeof SamlAnswer._input = {
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
    scope.post<Place>(`${PATH}/acs`, { config: { ...OPEN, takesForeignForms: true } }, page(takeAnswer, 403));
  });
};
