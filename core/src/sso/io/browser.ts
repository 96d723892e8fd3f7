import type { FastifyReply, FastifyRequest } from 'fastify';
import { random, STEP_MS } from '../steps.ts';

const TOKEN = /^[A-Za-z0-9_-]{20,100}$/;

const nameOf = (isSecure: boolean): string => (isSecure ? '__Host-peta_sso' : 'peta_sso');

/** What this browser was given when it began to sign in: nobody else has it. */
export const browserOf = ({ headers }: FastifyRequest, isSecure: boolean): string | undefined =>
  (headers.cookie ?? '')
    .split(';')
    .map((pair) => pair.trim().split('='))
    .find(([name, value]) => name === nameOf(isSecure) && TOKEN.test(value ?? ''))?.[1];

/** Marks the browser for the time of a step. One that is marked keeps its mark, so that two tabs can sign in at once. */
export const markBrowser = (request: FastifyRequest, reply: FastifyReply, isSecure: boolean): string => {
  const mark = browserOf(request, isSecure) ?? random();
  const secure = isSecure ? '; Secure' : '';
  reply.header(
    'set-cookie',
    `${nameOf(isSecure)}=${mark}; Path=/; Max-Age=${STEP_MS / 1000}; HttpOnly; SameSite=Lax${secure}`,
  );
  return mark;
};
