import type { FastifyReply, FastifyRequest } from 'fastify';
import { networkOf } from '#lib/network';
import { Unavailable } from '#lib/unavailable';
import { createAdmit } from '../admit.ts';
import { localPath } from '../local-path.ts';
import type { Provider, Vouched } from '../provider.ts';
import { noProvider, switchedOff, TurnedAway, tooMany } from '../turned-away.ts';
import type { SsoPorts } from './ports.ts';
import { sendTurnedAway } from './turned-away-page.ts';

export const PATH = '/sign-in/sso/:workspace/:provider';
export const OPEN = { guard: 'open' };

export type Place = { Params: { workspace: string; provider: string }; Querystring: Record<string, unknown> };
export type Request = FastifyRequest<Place>;
/** What is known of a sign-in under way, for the page that tells of its end. */
type Seen = { next: string };

const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const PER_MINUTE = 300;
/** Turned away where nobody could have signed in: not worth the log of whoever is named in the address. */
const UNWRITTEN = new Set(['no-provider', 'too-many']);

/** A parameter that is there once. */
export const text = (value: unknown): string => (typeof value === 'string' ? value : '');

export const at = ({ params }: Request) => ({ workspaceId: params.workspace, providerId: params.provider });

/** Sends the browser on; what it was sent to says nothing of where from. */
export const go = (reply: FastifyReply, url: string): FastifyReply =>
  reply.header('cache-control', 'no-store').header('referrer-policy', 'no-referrer').redirect(url, 303);

/** What all pages of single sign-on share: who is at the door, how somebody is let in, how they are told why not. */
export const createPages = (ports: SsoPorts) => {
  const { providers, people, signIns, baseUrl, audit, publish, withDatabase, take, now } = ports;

  /** The provider of an address, also one that is switched off. */
  const find = async (request: Request): Promise<Provider> => {
    const { workspaceId, providerId } = at(request);
    const isId = ID.test(workspaceId) && ID.test(providerId);
    const provider = isId ? await providers.find(workspaceId, providerId) : undefined;
    if (!provider) throw noProvider();
    return provider;
  };

  const writeRefusal = async (request: Request, { code, message, remark, userId }: TurnedAway) => {
    if (UNWRITTEN.has(code)) return;
    const error = `${code}: ${message}${remark === undefined ? '' : ` (${remark})`}`;
    const record = { ...at(request), userId: userId ?? null, address: request.ip, operation: 'sso.signIn' as const };
    await audit({ ...record, details: {}, outcome: 'refused', error });
  };

  return {
    isSecure: () => baseUrl().startsWith('https:'),
    addressOf: ({ workspaceId, id }: Provider) => `${baseUrl()}/sign-in/sso/${workspaceId}/${id}`,
    find,

    /** A route that ends in a page for whoever is turned away. */
    page:
      (handle: (request: Request, reply: FastifyReply, seen: Seen) => Promise<unknown>, status?: number) =>
      async (request: Request, reply: FastifyReply): Promise<unknown> => {
        const { workspaceId } = at(request);
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
          await writeRefusal(request, error);
          return sendTurnedAway(reply, error, { workspaceId, next: seen.next, status });
        }
      },

    /** Signs in whom the provider vouches for, if it is still what it was when they set out. */
    async admit(request: Request, reply: FastifyReply, provider: Provider, vouched: Vouched, next: string) {
      const { workspaceId, id: providerId, kind, revision } = provider;
      const current = await providers.find(workspaceId, providerId);
      if (!current?.enabled || current.revision !== revision) throw switchedOff();
      const record = { workspaceId, providerId, address: request.ip, outcome: 'done' as const };
      const { userId } = await createAdmit({
        people,
        now,
        note: (what, userId, details) => audit({ ...record, userId, operation: `sso.${what}`, details }),
        changed: (workspaceId, id) => publish({ topic: 'user', workspaceId, id }),
      })(provider, vouched);
      const details = { method: kind, subject: vouched.subject };
      await audit({ ...record, userId, operation: 'sso.signIn', details });
      await signIns.begin(request, reply, { workspaceId, userId, methods: [kind], providerId });
      return go(reply, next);
    },
  };
};

export type Pages = ReturnType<typeof createPages>;
