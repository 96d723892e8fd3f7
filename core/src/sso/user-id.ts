import { randomBytes } from 'node:crypto';

/** What the log calls those who are no person. */
const RESERVED = new Set(['machine', 'anonymous']);
const MAX = 56;
const TRIES = 20;

/** What somebody is called elsewhere, made fit for an id here. */
const fit = (name: string): string =>
  (name.split('@')[0] ?? '')
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '')
    .slice(0, MAX);

/** Ids to try for somebody new, best first; the last one is nobody's. */
export function* idsFor({ email, username }: { email?: string | undefined; username?: string | undefined }) {
  const base = fit(email ?? '') || fit(username ?? '') || 'person';
  if (!RESERVED.has(base)) yield base;
  for (let number = 2; number <= TRIES; number += 1) yield `${base}-${number}`;
  yield `${base.slice(0, 40)}-${randomBytes(8).toString('hex')}`;
}
