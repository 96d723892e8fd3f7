import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { safeNext } from '../next-path.ts';
import { field } from './form.ts';
import type { PageParts } from './parts.ts';
import { mayUseCookie, ownOrigin } from './site.ts';

export const sendRefusal = (reply: FastifyReply, status: number, code: string, message: string, next?: string) =>
  reply
    .code(status)
    .header('cache-control', 'no-store')
    .send({ error: 'Refused', code, message, ...(next && { next }) });

/** For JSON that scripts of our own pages send; whatever comes from elsewhere is refused. */
export const ownScriptsOnly = {
  onRequest: async (request: FastifyRequest, reply: FastifyReply) => {
    if (!mayUseCookie(request))
      return sendRefusal(reply, 403, 'FOREIGN_ORIGIN', 'This did not come from a page of Peta. Nothing was done.');
    return undefined;
  },
};

/** The answer of a device, as the script of the page hands it on. */
export const answerOf = ({ body }: FastifyRequest): unknown =>
  typeof body === 'object' && body !== null ? Reflect.get(body, 'answer') : undefined;

const REFUSED = 'This passkey is not known here any more, or was not confirmed. Sign in another way and add it anew.';

/** Signing in with a passkey: no name is typed, and nothing else is needed. */
export const registerPasskeySignIn = (app: FastifyInstance, { passkeys, people, browser, note, now }: PageParts) => {
  const open = { config: { guard: 'open' }, ...ownScriptsOnly };

  app.post('/sign-in/passkey/options', open, async (request, reply) => {
    reply.header('cache-control', 'no-store');
    return passkeys.optionsToSignIn(ownOrigin(request) ?? '');
  });

  app.post('/sign-in/passkey', open, async (request, reply) => {
    const passkey = await passkeys.signIn(ownOrigin(request) ?? '', answerOf(request));
    const person = passkey && (await people.find(passkey.workspaceId, passkey.userId, now()));
    if (!passkey || !person?.isWelcome) {
      await note({
        workspaceId: passkey?.workspaceId ?? 'default',
        userId: person?.userId ?? null,
        address: request.ip,
        operation: 'sign-in',
        details: { method: 'passkey' },
        outcome: 'refused',
        error: REFUSED,
      });
      return sendRefusal(reply, 401, 'PASSKEY_REFUSED', REFUSED);
    }
    const { workspaceId, userId } = person;
    await browser.begin(request, reply, { workspaceId, userId, methods: ['passkey'] });
    reply.header('cache-control', 'no-store');
    return { next: safeNext(field(request, 'next')) };
  });
};
