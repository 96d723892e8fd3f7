import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type Provider from 'oidc-provider';
import type { Client } from 'oidc-provider';
import { type Html, html, sendPage } from '#page';
import { accountIdOf } from '../account.ts';
import type { Note, SignedIn } from '../ports.ts';
import { formTargetOf, placeOf } from '../redirects.ts';
import { isMcpScope, OWN_SCOPES, scopeInWords, scopesOf } from '../scopes.ts';
import type { KnownClient } from './postgres-clients.ts';
import { GRANT_SECONDS } from './provider.ts';
import { providerRequest } from './provider-request.ts';

type Options = {
  provider(): Provider;
  issuer(): string;
  basePath: string;
  signedIn(request: FastifyRequest): Promise<SignedIn | undefined>;
  remember(request: IncomingMessage, person: SignedIn | undefined): void;
  known(clientId: string): Promise<KnownClient | undefined>;
  endpointOf(resource: string): string | undefined;
  /** Binds the form to the browser and to what it shows. */
  formKey: Buffer;
  note: Note;
};

type Params = { Params: { uid: string } };
type Details = Awaited<ReturnType<Provider['interactionDetails']>>;
type Asked = {
  client: Client;
  clientId: string;
  scopes: string[];
  own: string[];
  resources: string[];
  redirectUri: string;
};

const DAYS = GRANT_SECONDS / 86_400;
const MAX_FORM = 4_096;

const gone = (reply: FastifyReply) =>
  sendPage(
    reply,
    {
      title: 'Start again',
      body: html`<h1>Start again</h1><p>This page was open for too long, or belongs to another browser. Go back to the
program that you want to connect, and connect it once more.</p>`,
    },
    400,
  );

/** Who asks, as far as that can be told: what a client says of itself is its word alone. */
const describeClient = ({ client, clientId, redirectUri }: Asked, known: KnownClient | undefined): Html => {
  const name = client.clientName ?? 'A program without a name';
  const answers = redirectUri === '' ? 'the device that shows the code' : placeOf(redirectUri);
  if (clientId.startsWith('https://'))
    return html`<h1>${name}</h1><p>Published by <strong>${new URL(clientId).host}</strong>. Answers go to
<strong>${answers}</strong>.</p>`;
  if (known?.workspaceId)
    return html`<h1>${name}</h1><p>Registered by an administrator. Answers go to <strong>${answers}</strong>.</p>`;
  return html`<h1>${name}</h1><p>The name is <strong>not verified</strong>: the program gave it itself. Answers go to
<strong>${answers}</strong>. Go on only if you just started this.</p>`;
};

/** The page on which a person allows a client, and what comes of it. */
export const registerInteraction = async (app: FastifyInstance, options: Options): Promise<void> => {
  const { provider, issuer, basePath, formKey, note } = options;

  const read = async (request: FastifyRequest<Params>, reply: FastifyReply) => {
    const person = await options.signedIn(request);
    const url = `/oauth/interaction/${request.params.uid}`;
    const seen = providerRequest(request.raw, { issuer: issuer(), url, address: request.ip });
    options.remember(seen, person);
    const details = await provider()
      .interactionDetails(seen, reply.raw)
      .catch(() => undefined);
    return { person, seen, details: details?.uid === request.params.uid ? details : undefined };
  };

  const askedIn = async ({ params }: Details): Promise<Asked | undefined> => {
    const { client_id: clientId, scope, resource, redirect_uri: redirectUri } = params;
    const client = typeof clientId === 'string' ? await provider().Client.find(clientId) : undefined;
    if (!client) return undefined;
    const wanted = scopesOf(typeof scope === 'string' ? scope : undefined);
    return {
      client,
      clientId: client.clientId,
      scopes: wanted.filter(isMcpScope),
      own: wanted.filter((one) => OWN_SCOPES.includes(one)),
      resources: [resource ?? []].flat().map(String),
      redirectUri: typeof redirectUri === 'string' ? redirectUri : '',
    };
  };

  const proofOf = (uid: string, { signInId }: SignedIn, asked: Asked): string =>
    createHmac('sha256', formKey)
      .update(JSON.stringify([uid, signInId, asked.clientId, asked.scopes, asked.own, asked.resources]))
      .digest('base64url');

  const ask = (reply: FastifyReply, uid: string, person: SignedIn, asked: Asked, known: KnownClient | undefined) => {
    const target = formTargetOf(asked.redirectUri);
    const places = asked.resources.map((resource) => options.endpointOf(resource) ?? resource);
    return sendPage(reply, {
      title: 'Allow access',
      ...(target !== undefined && { formTargets: [target] }),
      body: html`
${describeClient(asked, known)}
<h2>It asks to</h2>
<ul>${asked.scopes.map((scope) => html`<li>${scopeInWords(scope)}</li>`)}
${asked.own.includes('openid') && html`<li>Know which person of this Peta you are</li>`}</ul>
<p>At <strong>${places.join(', ')}</strong>, as <strong>${person.userId}</strong>. It gets no more than you may do yourself,
for at most ${DAYS} days. You can take it back at any time.</p>
<form method="post" action="${basePath}/oauth/interaction/${uid}">
<input type="hidden" name="proof" value="${proofOf(uid, person, asked)}">
<div class="row"><button name="decision" value="allow">Allow</button>
<button class="quiet" name="decision" value="deny">Deny</button></div>
</form>`,
    });
  };

  const show = async (request: FastifyRequest<Params>, reply: FastifyReply) => {
    const { person, details } = await read(request, reply);
    if (!details) return gone(reply);
    const { uid } = details;
    if (!person)
      return reply.redirect(
        `${basePath}/sign-in?next=${encodeURIComponent(`${basePath}/oauth/interaction/${uid}`)}`,
        303,
      );
    const asked = await askedIn(details);
    if (!asked) return gone(reply);
    const known = await options.known(asked.clientId);
    if (known?.workspaceId && known.workspaceId !== person.workspaceId)
      return sendPage(
        reply,
        {
          title: 'Not for you',
          body: html`<h1>Not for you</h1><p>This program belongs to another workspace than the one you are signed in to.</p>`,
        },
        403,
      );
    return ask(reply, uid, person, asked, known);
  };

  const allow = async (person: SignedIn, details: Details, asked: Asked): Promise<string> => {
    const { Grant } = provider();
    const accountId = accountIdOf(person);
    const before = details.grantId === undefined ? undefined : await Grant.find(details.grantId);
    const isSame = before?.accountId === accountId && before.clientId === asked.clientId;
    const grant = before && isSame ? before : new Grant({ accountId, clientId: asked.clientId });
    grant.exp = Math.floor(Date.now() / 1000) + GRANT_SECONDS;
    for (const resource of asked.resources) grant.addResourceScope(resource, asked.scopes.join(' '));
    if (asked.own.length > 0) grant.addOIDCScope(asked.own.join(' '));
    return grant.save();
  };

  const decide = async (request: FastifyRequest<Params>, reply: FastifyReply) => {
    const { person, seen, details } = await read(request, reply);
    const asked = details && (await askedIn(details));
    if (!details || !person || !asked) return gone(reply);
    const known = await options.known(asked.clientId);
    const fields = new URLSearchParams(String(request.body ?? ''));
    const proof = Buffer.from(fields.get('proof') ?? '');
    const expected = Buffer.from(proofOf(details.uid, person, asked));
    const isForeign = known?.workspaceId && known.workspaceId !== person.workspaceId;
    if (isForeign || proof.length !== expected.length || !timingSafeEqual(proof, expected)) return gone(reply);

    const isAllowed = fields.get('decision') === 'allow';
    await note({
      account: { workspaceId: person.workspaceId, userId: person.userId },
      address: request.ip,
      operation: 'oauth.consent',
      target: asked.clientId,
      details: { scopes: asked.scopes, resources: asked.resources, redirectUri: asked.redirectUri },
      outcome: isAllowed ? 'done' : 'refused',
      ...(!isAllowed && { error: 'The person did not allow it.' }),
    });
    const result = isAllowed
      ? { login: { accountId: accountIdOf(person) }, consent: { grantId: await allow(person, details, asked) } }
      : { error: 'access_denied', error_description: 'The person did not allow it.' };
    const next = await provider().interactionResult(seen, reply.raw, result, { mergeWithLastSubmission: false });
    return reply.redirect(next, 303);
  };

  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'string', bodyLimit: MAX_FORM }, (_request, body, done) =>
      done(null, body),
    );
    const open = { config: { guard: 'open' } };
    scope.get<Params>('/oauth/interaction/:uid', open, show);
    scope.post<Params>('/oauth/interaction/:uid', open, decide);
  });
};
