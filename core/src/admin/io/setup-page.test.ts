import { createHash } from 'node:crypto';
import Fastify from 'fastify';
import { beforeAll, expect, test } from 'vitest';
import { registerSetupPage } from './setup-page.ts';

let page: string;
let headers: Record<string, unknown>;

beforeAll(async () => {
  const app = Fastify();
  registerSetupPage(app);
  ({ body: page, headers } = await app.inject({ method: 'GET', url: '/setup' }));
});

const partsOf = (tag: string) => [...page.matchAll(new RegExp(`<${tag}\\b[^>]*>([\\s\\S]*?)</${tag}>`, 'g'))];

test('runs its own script and style, by their hash, and nothing else', () => {
  const policy = String(headers['content-security-policy']);
  for (const tag of ['script', 'style']) {
    const [part, ...others] = partsOf(tag);
    expect(others).toEqual([]);
    const hash = createHash('sha256')
      .update(part?.[1] ?? '')
      .digest('base64');
    expect(policy).toContain(`${tag}-src 'sha256-${hash}'`);
  }
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toMatch(/unsafe|\*|https?:/);
});

test('brings everything it needs, and sets text only as text', () => {
  expect(page).not.toMatch(/<link|<img|<iframe|@import|url\(|src=/);
  expect(page).not.toMatch(/innerHTML|outerHTML|insertAdjacent|document\.write|eval\(| on\w+=|style="/);
});

test('is kept by no cache and tells no other page where it was', () => {
  expect(headers).toMatchObject({
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
  });
});
