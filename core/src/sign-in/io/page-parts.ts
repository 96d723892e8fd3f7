import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyReply } from 'fastify';
import { type Html, html, type Page, sendPage } from '#page';

/** What speaks with the browser about passkeys: the same on every page, told what to do by data attributes. */
export const PASSKEY_SCRIPT = readFileSync(join(import.meta.dirname, 'passkey-page.js'), 'utf8');

/** What went wrong, read out and focused before anything else. */
export const errorSummary = (error: string | undefined): Html | false =>
  error !== undefined &&
  html`<div class="errors" role="alert" tabindex="-1" autofocus id="errors"><strong>That did not work.</strong> ${error}</div>`;

export const hidden = (fields: Record<string, string>): Html[] =>
  Object.entries(fields).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`);

/** A button for passkeys; without JavaScript, or where browsers allow none, it says why or is not there. */
export const passkeyButton = (
  label: string,
  attributes: Record<string, string>,
  kind = '',
): Html => html`<div class="stack" data-passkey-part hidden>
<button type="button" class="${kind}" ${Object.entries(attributes).map(([name, value]) => html`data-${name}="${value}" `)}>${label}</button>
</div>
<p class="note" data-passkey-none hidden></p>
<p class="bad" role="alert" data-passkey-error hidden></p>`;

export const sendForm = (reply: FastifyReply, page: Page, error?: string, status = 200): FastifyReply =>
  sendPage(reply, error === undefined ? page : { ...page, title: `Error: ${page.title}` }, status);

/**
 * Sends a browser on after a form. What may lead to another site in the end goes by a page of its own, because browsers
 * hold redirects of a form to where forms may go.
 */
export const sendOn = (reply: FastifyReply, next: string): FastifyReply => {
  if (!next.startsWith('/oauth/')) return reply.code(303).header('cache-control', 'no-store').redirect(next, 303);
  reply.header('refresh', `0; url=${next}`);
  return sendPage(reply, {
    title: 'Signed in',
    body: html`<h1>You are signed in</h1><p><a class="button" href="${next}">Continue</a></p>`,
  });
};
