import Fastify from 'fastify';
import { expect, test } from 'vitest';
import { html, sendPage } from './page.ts';

const HOSTILE = `<script>alert("1")</script>'&`;

test('values are escaped, templates in templates are not', () => {
  const inner = html`<b title="${HOSTILE}">${[1, false, null, html`<i>${'<'}</i>`]}</b>`;
  expect(html`${inner}`.html).toBe(
    '<b title="&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;&amp;">1<i>&lt;</i></b>',
  );
});

test('a page runs its own script alone, is not framed and not stored', async () => {
  const app = Fastify();
  app.get('/', (_request, reply) =>
    sendPage(reply, { title: HOSTILE, body: html`<h1>${HOSTILE}</h1>`, script: 'go()' }, 403),
  );
  const answer = await app.inject('/');
  expect(answer.statusCode).toBe(403);
  expect(answer.body).not.toContain('<script>alert');
  const policy = String(answer.headers['content-security-policy']);
  expect(policy).toMatch(/default-src 'none'; script-src 'sha256-[^']+'; /);
  expect(policy).toContain("frame-ancestors 'none'");
  expect(answer.headers['cache-control']).toBe('no-store');
});
