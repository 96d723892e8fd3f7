import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { html, type Page, sendPage } from '#page';
import type { Person } from '../people.ts';
import { field, ownPagesOnly } from './form.ts';
import { errorSummary, hidden, PASSKEY_SCRIPT, passkeyButton, sendForm } from './page-parts.ts';
import type { PageParts } from './parts.ts';
import { answerOf, ownScriptsOnly, sendRefusal } from './passkey-routes.ts';
import { ownOrigin } from './site.ts';

const OVER = 'This link has been used, has expired or never was. Ask an administrator for a new one.';

/** The secret stays behind the # until the person sends it with what they chose. */
const welcomePage = (link: string, error: string | undefined): Page => ({
  title: 'Welcome to Peta',
  script: PASSKEY_SCRIPT,
  body: html`<h1>Welcome to Peta</h1>
<div data-needs-link="yes" hidden>
<p>With this one-time link you choose how you sign in. If you had a password, the new one takes its place; passkeys and an authenticator app that you have stay, and you find them in your account. Other browsers of yours are signed out.</p>
${errorSummary(error)}
<div>${passkeyButton('Create a passkey', { way: 'create', options: '/sign-in/welcome/passkey/options', finish: '/sign-in/welcome/passkey' }, 'quiet')}</div>
<form method="post" action="/sign-in/welcome">
${hidden({ link })}
<label for="password">Or a password, of at least twelve characters</label>
<input id="password" name="password" type="password" autocomplete="new-password" minlength="12" maxlength="256" required ${error !== undefined && html`aria-describedby="errors"`}>
<label for="again">The same again</label>
<input id="again" name="again" type="password" autocomplete="new-password" minlength="12" maxlength="256" required>
<div class="stack"><button type="submit">Set the password and sign in</button></div>
</form>
</div>
<div data-needs-link="no" hidden>
<p>This page needs a sign-up link: an administrator makes one with <code>npm run peta -- users invite &lt;id&gt;</code>.</p>
<p><a class="button" href="/sign-in">Sign in</a></p>
</div>
<noscript><p>This page needs JavaScript. Allow it for this address and open the link again; the link is still good.</p></noscript>`,
});

const overPage: Page = {
  title: 'This link is over',
  body: html`<h1>This link is over</h1><p>${OVER}</p><p><a class="button" href="/sign-in">Sign in</a></p>`,
};

/** `/sign-in/welcome`: where one-time sign-up links lead, which also serve as a reset. */
export const registerWelcome = (app: FastifyInstance, parts: PageParts): void => {
  const { invites, local, passkeys, browser, signIns, note } = parts;
  const open = { config: { guard: 'open' } };

  const letIn = async (person: Person, request: FastifyRequest, reply: FastifyReply, operation: string) => {
    const { workspaceId, userId } = person;
    await note({
      workspaceId,
      userId,
      address: request.ip,
      operation,
      details: { by: 'sign-up link' },
      outcome: 'done',
    });
    await signIns.end({ workspaceId, userId });
    await browser.begin(request, reply, { workspaceId, userId, methods: ['invite'] });
  };
  const refused = (request: FastifyRequest) =>
    note({
      workspaceId: 'default',
      userId: null,
      address: request.ip,
      operation: 'sign-in',
      details: { method: 'sign-up link' },
      outcome: 'refused',
      error: OVER,
    });

  app.get('/sign-in/welcome', open, (_request, reply) => sendPage(reply, welcomePage('', undefined)));

  app.post('/sign-in/welcome', { ...open, ...ownPagesOnly }, async (request, reply) => {
    const link = field(request, 'link');
    const password = field(request, 'password');
    const person = await invites.peek(link);
    if (!person) {
      await refused(request);
      return sendPage(reply, overPage, 403);
    }
    const isSame = password === field(request, 'again');
    const fault = isSame ? local.faultOf(person, password) : 'The two passwords differ.';
    if (fault !== undefined) return sendForm(reply, welcomePage(link, fault), fault, 400);
    if (!(await invites.use(link))) return sendPage(reply, overPage, 403);
    await local.setPassword(person, password);
    await letIn(person, request, reply, 'password.change');
    return reply.redirect('/account?done=welcome', 303);
  });

  app.post('/sign-in/welcome/passkey/options', { ...open, ...ownScriptsOnly }, async (request, reply) => {
    const person = await invites.peek(field(request, 'link'));
    if (!person) return sendRefusal(reply, 403, 'LINK_OVER', OVER);
    reply.header('cache-control', 'no-store');
    return passkeys.optionsToAdd(person, ownOrigin(request) ?? '');
  });

  app.post('/sign-in/welcome/passkey', { ...open, ...ownScriptsOnly }, async (request, reply) => {
    const link = field(request, 'link');
    const person = await invites.peek(link);
    if (!person) {
      await refused(request);
      return sendRefusal(reply, 403, 'LINK_OVER', OVER);
    }
    const passkey = await passkeys.add(person, ownOrigin(request) ?? '', 'Passkey', answerOf(request));
    if (!passkey)
      return sendRefusal(reply, 400, 'PASSKEY_REFUSED', 'The device did not confirm the passkey. Try again.');
    if (!(await invites.use(link))) {
      await passkeys.remove(person, passkey.id);
      return sendRefusal(reply, 403, 'LINK_OVER', OVER);
    }
    await letIn(person, request, reply, 'passkey.add');
    reply.header('cache-control', 'no-store');
    return { next: '/account?done=passkey' };
  });
};
