import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { From, Tried } from '../local.ts';
import { safeNext } from '../next-path.ts';
import type { Person } from '../people.ts';
import { field, ownPagesOnly, parameter } from './form.ts';
import { sendForm, sendOn } from './page-parts.ts';
import type { PageParts } from './parts.ts';
import { codePage, signInPage } from './sign-in-page.ts';

const Workspace = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/)
  .catch('default');

/** What a browser carries between its password and its code. */
const Half = z.object({ workspaceId: z.string(), userId: z.string(), next: z.string() });
const HALF = 'peta_half';
const HALF_MS = 10 * 60_000;
const MAX_NAME = 320;
const MAX_PASSWORD = 1_000;

const WRONG = 'The name or the password is not right.';
const WRONG_CODE = 'The code is not right, or it has been used. Wait for the next one and try that.';

const waitSentence = (seconds: number): string => {
  const time =
    seconds < 90 ? `${seconds} ${seconds === 1 ? 'second' : 'seconds'}` : `${Math.ceil(seconds / 60)} minutes`;
  return `Too many tries failed. Wait ${time} before the next; a passkey works at once.`;
};

/** `/sign-in`, `/sign-in/code`, `/sign-out`. */
export const registerSignIn = (app: FastifyInstance, parts: PageParts): void => {
  const { local, carried, browser, cookies, note, providers } = parts;

  const fromOf = (request: FastifyRequest): From => ({
    address: request.ip,
    browserIdOf: (person) => browser.knownAs(request, person),
  });

  const page = async (request: FastifyRequest, reply: FastifyReply, error?: string, status = 200) => {
    const of = request.method === 'GET' ? parameter : field;
    const workspace = Workspace.parse(of(request, 'workspace') || 'default');
    const signedIn = await browser.current(request);
    const name = field(request, 'name').slice(0, MAX_NAME) || (signedIn?.userId ?? '');
    const next = safeNext(of(request, 'next'));
    const isAgain = signedIn !== undefined;
    const asked = { workspace, next, name, isAgain, providers: await providers(workspace), error };
    return sendForm(reply, signInPage(asked), error, status);
  };

  /** Writes the failure down, without what was typed. */
  const failed = (
    request: FastifyRequest,
    workspaceId: string,
    person: Person | undefined,
    what: string,
    why: string,
  ) =>
    note({
      workspaceId,
      userId: person?.userId ?? null,
      address: request.ip,
      operation: 'sign-in',
      details: { method: what },
      outcome: 'refused',
      error: why,
    });

  const letIn = async (request: FastifyRequest, reply: FastifyReply, tried: Tried & { kind: 'in' }, next: string) => {
    const { person, methods } = tried;
    const { workspaceId, userId } = person;
    await browser.begin(request, reply, { workspaceId, userId, methods });
    return sendOn(reply, next);
  };

  app.get('/sign-in', { config: { guard: 'open' } }, async (request, reply) => {
    const isAgain = parameter(request, 'again') !== '';
    if (!isAgain && (await browser.current(request))) return reply.redirect(safeNext(parameter(request, 'next')), 303);
    return page(request, reply);
  });

  app.post('/sign-in', { config: { guard: 'open' }, ...ownPagesOnly }, async (request, reply) => {
    const workspace = Workspace.parse(field(request, 'workspace') || 'default');
    const name = field(request, 'name').trim();
    const password = field(request, 'password');
    const next = safeNext(field(request, 'next'));
    if (!name || !password || name.length > MAX_NAME || password.length > MAX_PASSWORD)
      return page(request, reply, name && password ? WRONG : 'Give your id or e-mail address, and your password.', 400);

    const tried = await local.tryPassword(workspace, name, password, fromOf(request));
    switch (tried.kind) {
      case 'in':
        return letIn(request, reply, tried, next);
      case 'code': {
        const { workspaceId, userId } = tried.person;
        cookies.write(request, reply, HALF, carried.seal(HALF, { workspaceId, userId, next }, HALF_MS));
        return reply.redirect('/sign-in/code', 303);
      }
      case 'wrong':
        await failed(request, workspace, tried.person, 'password', WRONG);
        return page(request, reply, WRONG, 401);
      case 'wait': {
        const sentence = waitSentence(tried.seconds);
        await failed(request, workspace, tried.person, 'password', sentence);
        reply.header('retry-after', tried.seconds);
        return page(request, reply, sentence, 429);
      }
    }
  });

  const half = (request: FastifyRequest) => Half.safeParse(carried.open(HALF, cookies.read(request, HALF))).data;

  app.get('/sign-in/code', { config: { guard: 'half-signed-in' } }, async (request, reply) =>
    half(request) ? sendForm(reply, codePage(undefined)) : reply.redirect('/sign-in', 303),
  );

  app.post('/sign-in/code', { config: { guard: 'half-signed-in' }, ...ownPagesOnly }, async (request, reply) => {
    const begun = half(request);
    if (!begun) return reply.redirect('/sign-in', 303);
    const tried = await local.tryCode(begun, field(request, 'code').slice(0, 100), fromOf(request));
    switch (tried.kind) {
      case 'in':
        cookies.clear(request, reply, HALF);
        return letIn(request, reply, tried, safeNext(begun.next));
      case 'wait': {
        const sentence = waitSentence(tried.seconds);
        await failed(request, begun.workspaceId, tried.person, 'code', sentence);
        reply.header('retry-after', tried.seconds);
        return sendForm(reply, codePage(sentence), sentence, 429);
      }
      default:
        await failed(request, begun.workspaceId, tried.person, 'code', WRONG_CODE);
        return sendForm(reply, codePage(WRONG_CODE), WRONG_CODE, 401);
    }
  });

  app.post('/sign-out', { config: { guard: 'signed-in' }, ...ownPagesOnly }, async (request, reply) => {
    await browser.end(request, reply);
    return reply.redirect('/sign-in', 303);
  });
};
