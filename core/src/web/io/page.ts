import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyReply } from 'fastify';

/** HTML that may stand in a page as it is. */
export type Html = { readonly html: string };

type Part = Html | string | number | null | undefined | false | readonly Part[];

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const textOf = (part: Part): string => {
  if (part === null || part === undefined || part === false) return '';
  if (typeof part === 'string' || typeof part === 'number')
    return String(part).replace(/[&<>"']/g, (c) => ESCAPES[c] ?? c);
  return 'html' in part ? part.html : part.map(textOf).join('');
};

/** A template whose values are escaped unless they are `Html` themselves; attributes must be quoted. */
export const html = (strings: TemplateStringsArray, ...parts: readonly Part[]): Html => ({
  html: strings.reduce((text, string, index) => text + textOf(parts[index - 1]) + string),
});

export type Page = {
  title: string;
  body: Html;
  /** JavaScript of the page, the same for everybody: what differs belongs in data attributes. */
  script?: string;
  isWide?: boolean;
  /** Where forms of the page may end up, by redirects too; only here when absent. */
  formTargets?: readonly string[];
};

const LOOK = readFileSync(join(import.meta.dirname, 'look.css'), 'utf8');

const hashOf = (content: string): string => `'sha256-${createHash('sha256').update(content).digest('base64')}'`;

const policyOf = ({ script, formTargets = [] }: Page): string =>
  [
    "default-src 'none'",
    script === undefined ? "script-src 'none'" : `script-src ${hashOf(script)}`,
    `style-src ${hashOf(LOOK)}`,
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    ["form-action 'self'", ...formTargets].join(' '),
    "frame-ancestors 'none'",
  ].join('; ');

const documentOf = ({ title, body, script, isWide = false }: Page): Html => html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · Peta</title>
<style>${{ html: LOOK }}</style>
</head>
<body>
<main class="${isWide ? 'wide' : ''}">${body}</main>
${script !== undefined && { html: `<script>${script}</script>` }}
</body>
</html>
`;

/**
 * A page in Peta's look, under a policy that lets nothing else run, frame it or be stored. Its own forms name their
 * origin, by which the server knows them; other sites learn nothing of the address.
 */
export const pageOf = (page: Page): { headers: Record<string, string>; body: string } => ({
  headers: {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policyOf(page),
    'cache-control': 'no-store',
    'referrer-policy': 'same-origin',
  },
  body: documentOf(page).html,
});

/** Answers with such a page. */
export const sendPage = (reply: FastifyReply, page: Page, status = 200): FastifyReply => {
  const { headers, body } = pageOf(page);
  return reply.code(status).headers(headers).send(body);
};
