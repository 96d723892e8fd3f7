import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Call } from '#call';
import { createParking } from './parking.ts';
import type { Run } from './run.ts';
import { clearedCall } from './test-call.ts';

const TTL_MS = 1_000;
const parked = () => {
  const run = { abandon: vi.fn() } as unknown as Run;
  return run;
};
const of = (userId: string): Call => clearedCall({ caller: { ...clearedCall().caller, userId } });

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('a place is good for one return', () => {
  const parking = createParking({ ttlMs: TTL_MS });
  const run = parked();
  const id = parking.park(clearedCall(), run) ?? '';
  expect(parking.take(id)).toBe(run);
  expect(parking.take(id)).toBeUndefined();
  vi.advanceTimersByTime(TTL_MS * 2);
  expect(run.abandon).not.toHaveBeenCalled();
  expect(parking.count()).toBe(0);
});

test('a call that nobody comes back for is abandoned once', () => {
  const parking = createParking({ ttlMs: TTL_MS });
  const run = parked();
  const id = parking.park(clearedCall(), run) ?? '';
  vi.advanceTimersByTime(TTL_MS);
  expect([run.abandon, parking.take(id), parking.count()]).toEqual([expect.anything(), undefined, 0]);
  expect(run.abandon).toHaveBeenCalledOnce();
});

test('one person cannot take all places, and gets them back', () => {
  const parking = createParking({ ttlMs: TTL_MS });
  const ids = Array.from({ length: 150 }, () => parking.park(of('ada'), parked()));
  expect(ids.filter((id) => id !== undefined)).toHaveLength(100);
  expect(parking.park(of('bob'), parked())).toBeDefined();
  parking.take(ids[0] ?? '');
  expect(parking.park(of('ada'), parked())).toBeDefined();
  vi.advanceTimersByTime(TTL_MS);
  expect(parking.park(of('ada'), parked())).toBeDefined();
});

test('those without a name are told apart by where they come from', () => {
  const parking = createParking({ ttlMs: TTL_MS });
  const from = (address: string): Call =>
    clearedCall({ address, caller: { ...clearedCall().caller, kind: 'anonymous', userId: null } });
  for (let at = 0; at < 100; at += 1) parking.park(from('10.0.0.1'), parked());
  expect(parking.park(from('10.0.0.1'), parked())).toBeUndefined();
  expect(parking.park(from('10.0.0.2'), parked())).toBeDefined();
});

test('closing abandons what waits', () => {
  const parking = createParking({ ttlMs: TTL_MS });
  const runs = [parked(), parked()];
  for (const run of runs) parking.park(clearedCall(), run);
  parking.close();
  for (const run of runs) expect(run.abandon).toHaveBeenCalledOnce();
  expect([parking.count(), vi.getTimerCount()]).toEqual([0, 0]);
});
