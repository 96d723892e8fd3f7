import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { settingsPage } from './cli/src/start/print-settings.ts';
import { settingsReference } from './core/src/config.ts';

const read = (path: string): string => readFileSync(path, 'utf8');
const pages = globSync('**/*.md', { exclude: (path) => /(^|\/)(node_modules|\.peta|\.git)$/.test(path) });
const matches = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, found]) => found ?? '');

test('the page of settings is the one the settings print', () => {
  expect(read('docs/reference/settings.md')).toBe(settingsPage);
});

/** Where a path in backticks may begin: the repository, the page, or the rooms of core. */
const exists = (page: string, path: string): boolean =>
  ['.', dirname(page), 'core/src', 'core/src/path'].some((from) => existsSync(join(from, path)));

test.each(pages)('every path named in %s exists', (page) => {
  const text = read(page);
  const links = matches(text, /\]\((?!https?:|#)([^)#\s]+)/g).filter((path) => !existsSync(join(dirname(page), path)));
  const named = matches(text, /`((?:\.?[\w-]+\/)+(?:[\w.-]*\.\w+|run)?)`/g);
  const bare = matches(text, /`([\w-]+(?:\.[\w-]+)*\.(?:ts|md|json|yml))`/g).filter((path) => path !== 'admin.json');
  expect([...links, ...[...named, ...bare].filter((path) => !exists(page, path))]).toEqual([]);
});

test.each(['README.md', 'docs/architecture.md'])('every folder and file in the tree of %s exists', (page) => {
  const [tree = ''] = matches(read(page), /```\n([^`]+\/ [^`]+)```/g);
  const root = tree.startsWith('core/src/') ? ['core/src', 'core/src/path'] : ['.'];
  const entries = matches(tree, /^[│├└─\s]*([\w.-]+\/?)(?= )/gm);
  expect(entries.length).toBeGreaterThan(5);
  expect(entries.filter((entry) => !root.some((from) => existsSync(join(from, entry))))).toEqual([]);
});

test.each(pages)('every npm script and every setting named in %s exists', (page) => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const ofCli = ['PETA_URL', 'PETA_TOKEN', 'PETA_DEBUG'];
  const settings = new Set([...settingsReference().map(({ name }) => name), ...ofCli]);
  const text = read(page);
  expect(matches(text, /npm run ([a-z]\w*)/g).filter((name) => !(name in scripts))).toEqual([]);
  expect(matches(text, /\b((?:PETA|AUDIT|BACKEND|SSL)_[A-Z_]+)\b/g).filter((name) => !settings.has(name))).toEqual([]);
});

test('the page of the peta command names every command there is', () => {
  const commandsOf = (...path: string[]): string[] => {
    const help = execFileSync(process.execPath, ['cli/src/main.ts', ...path, '--help'], { encoding: 'utf8' });
    const [, list = ''] = help.split('Commands:\n');
    return matches(list, /^ {2}([a-z-]+)/gm).filter((name) => name !== 'help');
  };
  const rows = matches(read('docs/guide/cli.md'), /^\| `([^`]+)`/gm);
  const words = new Map(rows.map((row) => row.split(/[^a-z-]+/)).map(([name = '', ...rest]) => [name, rest]));
  expect([...words.keys()].sort()).toEqual(commandsOf().sort());
  for (const group of [
    'servers',
    'endpoints',
    'environments',
    'workspaces',
    'users',
    'teams',
    'roles',
    'agents',
    'tokens',
    'sessions',
  ])
    expect(words.get(group)?.filter(Boolean).sort()).toEqual(commandsOf(group).sort());
}, 60_000);

test('the commands of the README are the ones a newcomer needs', () => {
  expect(read('README.md')).toMatch(/^npm ci && npm start$/m);
  expect(read('README.md')).toMatch(/^npm ci && npm test$/m);
  expect(read('README.md')).toMatch(/^npm start -- --demo$/m);
});
