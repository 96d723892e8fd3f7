import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { html, sendPage } from '#page';
import { isFromOwnPage } from './site.ts';

const MAX_FORM_BYTES = 64 * 1024;

/** Lets this part of the application read what HTML forms send. */
export const readForms = (app: FastifyInstance): void => {
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: MAX_FORM_BYTES },
    (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  );
};

const fieldOf = (source: unknown, name: string): string => {
  if (typeof source !== 'object' || source === null || !Object.hasOwn(source, name)) return '';
  const value: unknown = Reflect.get(source, name);
  // PostgreSQL keeps no such character, and nobody types one.
  return typeof value === 'string' ? value.replaceAll('\u0000', '') : '';
};

/** A field of a form, or of JSON; empty when it is not there or no text. */
export const field = (request: FastifyRequest, name: string): string => fieldOf(request.body, name);
export const parameter = (request: FastifyRequest, name: string): string => fieldOf(request.query, name);

const sendForeign = (reply: FastifyReply): FastifyReply =>
  sendPage(
    reply,
    {
      title: 'Not from here',
      body: html`<h1>This did not come from a page of Peta</h1>
<p>Nothing was done. Open the page again at the address you know, and try there.</p>
<p><a href="/account">Your account</a></p>`,
    },
    403,
  );

/** For routes that change something: what another site, or no page at all, sends is refused. */
export const ownPagesOnly = {
  onRequest: async (request: FastifyRequest, reply: FastifyReply) => {
    if (!isFromOwnPage(request)) return sendForeign(reply);
    return undefined;
  },
};

/** Refuses a form that carries no proof of having been given to this very sign-in. */
export const sendStale = (reply: FastifyReply): FastifyReply =>
  sendPage(
    reply,
    {
      title: 'Out of date',
      body: html`<h1>This page was out of date</h1>
<p>You have signed in anew since it was opened. Nothing was done.</p>
<p><a href="/account">Your account</a></p>`,
    },
    403,
  );

const AWAY = 'Peta cannot do this right now. Try again in a moment.';

/** Something that Peta needs is away, or everybody signs in at once. */
export const sendAway = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
  reply.header('retry-after', '5');
  if (request.headers['content-type']?.startsWith('application/json'))
    return reply.code(503).send({ error: 'Service Unavailable', code: 'UNAVAILABLE', message: AWAY });
  return sendPage(reply, { title: 'Not now', body: html`<h1>Not now</h1><p>${AWAY}</p>` }, 503);
};
