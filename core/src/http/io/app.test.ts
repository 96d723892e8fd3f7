import { afterEach, expect, test } from 'vitest';
import { createApp } from './app.ts';

const opened: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const app of opened.splice(0)) await app.close();
});

const build = async () => {
  const built = await createApp({
    hosts: { allowedHosts: [], allowedOrigins: [] },
    tls: undefined,
    maxBodyBytes: 1000,
    onFault: () => {},
  });
  opened.push(built.app);
  return built;
};

test('a route without a guard does not start', async () => {
  const { app } = await build();
  expect(() => app.get('/x', async () => 'x')).toThrow('GET /x has no guard');
});

test('every route, also one that is not there, refuses foreign hosts and origins', async () => {
  const { app, routes } = await build();
  app.get('/x', { config: { guard: 'open' } }, async () => 'x');
  expect(routes).toEqual([{ method: 'GET', url: '/x', guard: 'open' }]);
  for (const url of ['/x', '/nothing']) {
    expect((await app.inject({ url, headers: { host: 'evil.example' } })).statusCode).toBe(403);
    const origin = 'https://evil.example';
    expect((await app.inject({ url, headers: { host: 'localhost', origin } })).statusCode).toBe(403);
  }
  expect((await app.inject({ url: '/x', headers: { host: 'localhost' } })).statusCode).toBe(200);
  expect((await app.inject({ url: '/nothing', headers: { host: 'localhost' } })).statusCode).toBe(404);
});

test('a fault tells nothing of its inside', async () => {
  const { app } = await build();
  app.get('/x', { config: { guard: 'open' } }, async () => {
    throw new Error('password=hunter2');
  });
  const answer = await app.inject({ url: '/x', headers: { host: 'localhost' } });
  expect(answer.statusCode).toBe(500);
  expect(answer.body).not.toContain('hunter2');
});
