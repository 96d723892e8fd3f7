import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { settingsPage } from './cli/src/start/print-settings.ts';

const pages = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
  encoding: 'utf8',
})
  .trim()
  .split('\n');

test('the page of settings is the one the settings print', () => {
  expect(readFileSync('docs/reference/settings.md', 'utf8')).toBe(settingsPage);
});

test.each(pages)('every path named in %s exists', (page) => {
  const text = readFileSync(page, 'utf8');
  const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path]) => join(dirname(page), path ?? ''));
  const named = [...text.matchAll(/`((?:api|core|cli|e2e|bench|docs)\/[\w./-]+)`/g)].map(([, path]) => path ?? '');
  expect([...links, ...named].filter((path) => !existsSync(path))).toEqual([]);
});
