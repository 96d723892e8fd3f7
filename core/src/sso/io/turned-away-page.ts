import type { FastifyReply } from 'fastify';
import { html, sendPage } from '#page';
import type { TurnedAway } from '../turned-away.ts';

const STATUS: Readonly<Record<string, number>> = { 'no-provider': 404, 'too-many': 429, 'provider-unreachable': 502 };

/** Tells somebody why they are not signed in, and what to do. Nothing of it is markup, whoever said it. */
export const sendTurnedAway = (
  reply: FastifyReply,
  { code, message, advice }: Pick<TurnedAway, 'code' | 'message' | 'advice'>,
  { workspaceId, next, status }: { workspaceId: string; next: string; status?: number | undefined },
): FastifyReply => {
  const query = new URLSearchParams({ workspace: workspaceId, next });
  const body = html`<h1>You are not signed in</h1>
<p>${message}</p>
<p>${advice}</p>
<p><a class="button" href="${`/sign-in?${query}`}">To the sign-in page</a></p>`;
  return sendPage(reply, { title: 'Not signed in', body }, status ?? STATUS[code] ?? 403);
};
