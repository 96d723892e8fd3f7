import { timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { html, sendPage } from '#page';
import type { Person } from '../people.ts';
import type { SignedIn } from '../sign-ins.ts';
import { accountPage, authenticatorPage, recoveryPage } from './account-page.ts';
import { field, ownPagesOnly, parameter, sendStale } from './form.ts';
import { sendForm } from './page-parts.ts';
import type { PageParts } from './parts.ts';
import { answerOf, ownScriptsOnly, sendRefusal } from './passkey-routes.ts';
import { ownOrigin } from './site.ts';

type Who = { signedIn: SignedIn; person: Person };
type Act = (who: Who, request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;

const FRESH_MS = 10 * 60_000;
const AGAIN = '/sign-in?again=1&next=/account';
const MAX_NAME = 60;

const isSame = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

/** `/account` and what is changed there. What changes how one signs in needs a sign-in of the last ten minutes. */
export const registerAccount = (app: FastifyInstance, parts: PageParts): void => {
  const { browser, people, local, passkeys, authenticators, signIns, programs, note, formToken, now } = parts;

  const whoIs = async (request: FastifyRequest): Promise<Who | undefined> => {
    const signedIn = await browser.current(request);
    const person = signedIn && (await people.find(signedIn.workspaceId, signedIn.userId, now()));
    return signedIn && person ? { signedIn, person } : undefined;
  };
  const isFresh = ({ signedIn }: Who): boolean => now().getTime() - signedIn.at.getTime() < FRESH_MS;

  const changed = ({ signedIn, person }: Who, request: FastifyRequest, operation: string, details = {}) =>
    note({
      workspaceId: person.workspaceId,
      userId: person.userId,
      signInId: signedIn.signInId,
      address: request.ip,
      operation,
      details,
      outcome: 'done',
    });

  const show = async (who: Who, request: FastifyRequest, reply: FastifyReply, error?: string, status = 200) => {
    const { signedIn, person } = who;
    const page = accountPage({
      person,
      signInId: signedIn.signInId,
      formToken: formToken(signedIn.signInId),
      authenticator: await authenticators.find(person),
      passkeys: await passkeys.list(person),
      signIns: await signIns.list(person.workspaceId, person.userId),
      programs: await programs.list(person),
      done: parameter(request, 'done'),
      error,
    });
    return sendForm(reply, page, error, status);
  };
  const done = (reply: FastifyReply, what: string) => reply.redirect(`/account?done=${what}`, 303);

  /** A form of the account page; `sensitive` ones change how the person signs in. */
  const form = (path: string, kind: 'sensitive' | 'plain', act: Act) =>
    app.post(path, { config: { guard: 'signed-in' }, ...ownPagesOnly }, async (request, reply) => {
      const who = await whoIs(request);
      if (!who) return reply.redirect('/sign-in?next=/account', 303);
      if (!isSame(field(request, 'token'), formToken(who.signedIn.signInId))) return sendStale(reply);
      if (kind === 'sensitive' && !isFresh(who)) return reply.redirect(AGAIN, 303);
      return act(who, request, reply);
    });

  const script = (path: string, act: Act) =>
    app.post(path, { config: { guard: 'signed-in' }, ...ownScriptsOnly }, async (request, reply) => {
      const who = await whoIs(request);
      if (!who) return sendRefusal(reply, 401, 'SIGNED_OUT', 'Sign in first.', '/sign-in?next=/account');
      if (!isFresh(who)) return sendRefusal(reply, 403, 'PROVE_AGAIN', 'Sign in again first.', AGAIN);
      reply.header('cache-control', 'no-store');
      return act(who, request, reply);
    });

  app.get('/account', { config: { guard: 'signed-in' } }, async (request, reply) => {
    const who = await whoIs(request);
    return who ? show(who, request, reply) : reply.redirect('/sign-in?next=/account', 303);
  });

  form('/account/password', 'sensitive', async (who, request, reply) => {
    const password = field(request, 'password');
    if (password !== field(request, 'again')) return show(who, request, reply, 'The two passwords differ.', 400);
    const fault = await local.setPassword(who.person, password);
    if (fault !== undefined) return show(who, request, reply, fault, 400);
    const { workspaceId, userId } = who.person;
    await changed(who, request, 'password.change');
    await signIns.end({ workspaceId, userId, except: who.signedIn.signInId });
    return done(reply, 'password');
  });

  const pending = ({ person }: Who, request: FastifyRequest) =>
    authenticators.pending(person, request.headers.host ?? 'peta');

  form('/account/authenticator', 'sensitive', async (who, request, reply) => {
    if (!(await pending(who, request))) await authenticators.begin(who.person);
    return reply.redirect('/account/authenticator', 303);
  });

  app.get('/account/authenticator', { config: { guard: 'signed-in' } }, async (request, reply) => {
    const who = await whoIs(request);
    if (!who || !isFresh(who)) return reply.redirect(who ? AGAIN : '/sign-in?next=/account', 303);
    const shown = await pending(who, request);
    if (!shown) return reply.redirect('/account', 303);
    return sendPage(reply, authenticatorPage(formToken(who.signedIn.signInId), shown, undefined));
  });

  form('/account/authenticator/confirm', 'sensitive', async (who, request, reply) => {
    const shown = await pending(who, request);
    if (!shown) return reply.redirect('/account', 303);
    const codes = await authenticators.confirm(who.person, field(request, 'code').replace(/\s/g, ''));
    if (!codes) {
      const error = 'The code is not the one that the app shows now. Is the time of your phone right?';
      return sendForm(reply, authenticatorPage(formToken(who.signedIn.signInId), shown, error), error, 400);
    }
    await changed(who, request, 'authenticator.add');
    return sendPage(reply, recoveryPage(codes));
  });

  form('/account/recovery-codes', 'sensitive', async (who, request, reply) => {
    if (!who.person.hasAuthenticator) return reply.redirect('/account', 303);
    const codes = await authenticators.renewRecovery(who.person);
    await changed(who, request, 'recovery-codes.renew');
    return sendPage(reply, recoveryPage(codes));
  });

  form('/account/authenticator/remove', 'sensitive', async (who, request, reply) => {
    if (await authenticators.remove(who.person)) await changed(who, request, 'authenticator.remove');
    return done(reply, 'authenticator-removed');
  });

  script('/account/passkeys/options', async ({ person }, request) =>
    passkeys.optionsToAdd(person, ownOrigin(request) ?? ''),
  );

  script('/account/passkeys', async (who, request, reply) => {
    const name = field(request, 'name').trim().slice(0, MAX_NAME) || 'Passkey';
    const passkey = await passkeys.add(who.person, ownOrigin(request) ?? '', name, answerOf(request));
    if (!passkey)
      return sendRefusal(
        reply,
        400,
        'PASSKEY_REFUSED',
        'The device did not confirm the passkey as it must. Try again.',
      );
    await changed(who, request, 'passkey.add', { passkey: passkey.id, name });
    return { next: '/account?done=passkey' };
  });

  form('/account/passkeys/rename', 'sensitive', async (who, request, reply) => {
    const id = field(request, 'id');
    const name = field(request, 'name').trim().slice(0, MAX_NAME);
    if (!name || !(await passkeys.rename(who.person, id, name)))
      return show(who, request, reply, 'There is no such passkey of yours, or the name is empty.', 400);
    await changed(who, request, 'passkey.rename', { passkey: id, name });
    return done(reply, 'passkey-renamed');
  });

  form('/account/passkeys/remove', 'sensitive', async (who, request, reply) => {
    const id = field(request, 'id');
    const isLast = (await passkeys.list(who.person)).every((one) => one.id === id);
    if (isLast && who.person.passwordHash === null)
      return show(who, request, reply, 'It is your only way in. Set a password or add another passkey first.', 409);
    if (await passkeys.remove(who.person, id)) await changed(who, request, 'passkey.remove', { passkey: id });
    return done(reply, 'passkey-removed');
  });

  form('/account/programs/end', 'plain', async (who, request, reply) => {
    const id = field(request, 'id');
    const found = (await programs.list(who.person)).find((one) => one.id === id);
    if (found) {
      await programs.end(who.person, id);
      await changed(who, request, 'consent.end', { consentId: id, name: found.name });
    }
    return done(reply, 'program-ended');
  });

  form('/account/sign-ins/end', 'plain', async (who, request, reply) => {
    const id = field(request, 'id');
    const { workspaceId, userId } = who.person;
    const found = (await signIns.list(workspaceId, userId)).find(({ signInId }) => signInId === id);
    if (found?.signInId === who.signedIn.signInId) {
      await browser.end(request, reply);
      return reply.redirect('/sign-in', 303);
    }
    if (found) {
      await signIns.end({ signInId: id });
      await changed(who, request, 'sign-in.end', { ended: id });
    }
    return done(reply, 'signed-out');
  });

  form('/account/sign-ins/end-all', 'plain', async (who, request, reply) => {
    const { workspaceId, userId } = who.person;
    const ended = await signIns.end({ workspaceId, userId });
    await changed(who, request, 'sign-in.end-all', { ended });
    await browser.end(request, reply);
    return sendPage(reply, {
      title: 'Signed out everywhere',
      body: html`<h1>You are signed out everywhere</h1>
<p>Service tokens and the programs that you allowed go on: they are ended where they are listed.</p>
<p><a class="button" href="/sign-in">Sign in</a></p>`,
    });
  });
};
