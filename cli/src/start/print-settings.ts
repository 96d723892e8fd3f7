/** Prints docs/reference/settings.md from the settings themselves. */
import { settingsReference } from '@peta/core/config';

const rows = settingsReference().map(
  ({ name, help, fallback }) => `| \`${name}\` | ${fallback === '' ? '' : `\`${fallback}\``} | ${help} |`,
);

export const settingsPage = `# Settings

Environment variables, read at the start. Printed from core/src/config.ts by \`npm run docs\`.

| name | default | what it does |
|---|---|---|
${rows.join('\n')}
`;

if (import.meta.main) process.stdout.write(settingsPage);
