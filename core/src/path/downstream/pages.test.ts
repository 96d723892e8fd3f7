import { expect, test } from 'vitest';
import { RpcError } from './errors.ts';
import { createPages, createVisits, PAGE_DONE, pagesIn } from './pages.ts';

const page = (elicitationId: string) => ({ method: 'elicitation/create', params: { mode: 'url', elicitationId } });

test('a refusal that names pages is read as questions, any other as none', () => {
  const elicitations = [{ elicitationId: '1', url: 'https://a.example' }];
  const [question] = pagesIn(new RpcError(-32042, 'visit', { elicitations })) ?? [];
  expect(question).toEqual({ method: 'elicitation/create', params: { mode: 'url', ...elicitations[0] } });
  expect(pagesIn(new RpcError(-32042, 'visit', { elicitations: [] }))).toBeUndefined();
  expect(pagesIn(new RpcError(-32602, 'visit', { elicitations }))).toBeUndefined();
  expect(pagesIn(new Error('no'))).toBeUndefined();
});

test('that a page was done with is told to the one who was sent there', () => {
  const pages = createPages();
  const heard: unknown[] = [];
  pages.sent({ elicitationId: 'a' }, (...told) => void heard.push(told));
  expect(pages.done(PAGE_DONE, { elicitationId: 'b' })).toBe(false);
  expect(pages.done('notifications/message', { elicitationId: 'a' })).toBe(false);
  expect(pages.done(PAGE_DONE, { elicitationId: 'a' })).toBe(true);
  expect(heard).toEqual([[PAGE_DONE, { elicitationId: 'a' }]]);
});

test('visits are waited for until all were made, in any order, and not without end', async () => {
  const visits = createVisits();
  const signal = new AbortController().signal;
  visits.done({ elicitationId: 'b' });
  setTimeout(() => visits.done({ elicitationId: 'a' }), 20);
  const since = Date.now();
  await visits.all([page('a'), page('b')], 5_000, signal);
  expect(Date.now() - since).toBeLessThan(1_000);
  await visits.all([page('never')], 30, signal);
  await visits.all([page('never')], 5_000, AbortSignal.abort());
  expect(Date.now() - since).toBeLessThan(1_000);
});
