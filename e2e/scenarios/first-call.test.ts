import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eras, textOf } from '../harness/clients.ts';
import { cleanUp, type RunningPeta, startPeta } from '../harness/peta.ts';

let peta: RunningPeta;
let token: string;

beforeAll(async () => {
  peta = await startPeta({ args: ['--demo'] });
  token = peta.token ?? '';
});
afterAll(cleanUp);

describe.each(eras)('with a client of %s', (_era, connect) => {
  test('the tools of three real servers are listed under names that every client takes', async () => {
    const client = await connect(peta.mcpUrl, token);
    const { tools } = await client.listTools();
    const names = tools.map(({ name }) => name);
    expect(names).toContain('everything__echo');
    expect(names).toContain('filesystem__read_text_file');
    expect(names).toContain('notes__add_note');
    for (const name of names) expect(name).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
    expect(names.indexOf('everything__echo')).toBeLessThan(names.indexOf('notes__add_note'));
    await client.close();
  });

  test('a tool is called, under its shown and its published name', async () => {
    const client = await connect(peta.mcpUrl, token);
    for (const name of ['everything__echo', 'everything::echo']) {
      const result = await client.callTool({ name, arguments: { message: 'hello' } });
      expect(textOf(result)).toContain('hello');
    }
    await client.close();
  });

  test('a file is read within its folder and refused outside it', async () => {
    const file = join(peta.home, 'demo-files', 'note.txt');
    await writeFile(file, 'written by the test');
    const client = await connect(peta.mcpUrl, token);
    const read = await client.callTool({ name: 'filesystem__read_text_file', arguments: { path: file } });
    expect(textOf(read)).toBe('written by the test');
    const outside = await client.callTool({ name: 'filesystem__read_text_file', arguments: { path: '/etc/passwd' } });
    expect(outside.isError).toBe(true);
    expect(textOf(outside)).not.toContain(await readFile('/etc/passwd', 'utf8'));
    await client.close();
  });

  test('a prompt is fetched', async () => {
    const client = await connect(peta.mcpUrl, token);
    const { prompts } = await client.listPrompts();
    expect(prompts.map(({ name }) => name)).toContain('everything__args-prompt');
    const prompt = await client.getPrompt({ name: 'everything__args-prompt', arguments: { city: 'Rome' } });
    expect(JSON.stringify(prompt.messages)).toContain('Rome');
    await client.close();
  });

  test('resources and templates are listed, and read under the URI shown', async () => {
    const client = await connect(peta.mcpUrl, token);
    const { resources } = await client.listResources();
    const [first] = resources.filter(({ uri }) => uri.startsWith('everything::'));
    expect(first).toBeDefined();
    const uri = first?.uri ?? '';
    const { contents } = await client.readResource({ uri });
    expect(contents[0]?.uri).toBe(uri);

    const { resourceTemplates } = await client.listResourceTemplates();
    const template = resourceTemplates.map(({ uriTemplate }) => uriTemplate).find((t) => t.includes('text/{'));
    expect(template).toMatch(/^everything::/);
    const expanded = (template ?? '').replace(/\{[^}]+\}/, '1');
    const read = await client.readResource({ uri: expanded });
    expect(read.contents[0]?.uri).toBe(expanded);
    await client.close();
  });

  test('an argument is completed', async () => {
    const client = await connect(peta.mcpUrl, token);
    const { completion } = await client.complete({
      ref: { type: 'ref/prompt', name: 'everything__completable-prompt' },
      argument: { name: 'department', value: 'E' },
    });
    expect(completion.values).toContain('Engineering');
    await client.close();
  });

  test('a long call reports progress that only grows', async () => {
    const client = await connect(peta.mcpUrl, token);
    const seen: number[] = [];
    const result = await client.callTool(
      { name: 'everything__trigger-long-running-operation', arguments: { duration: 1, steps: 4 } },
      { onprogress: ({ progress }) => seen.push(progress) },
    );
    expect(textOf(result)).toContain('completed');
    expect(seen).toEqual([1, 2, 3, 4]);
    await client.close();
  });

  test('a long call is cancelled at once', async () => {
    const client = await connect(peta.mcpUrl, token);
    const abort = new AbortController();
    const started = Date.now();
    const running = client.callTool(
      { name: 'everything__trigger-long-running-operation', arguments: { duration: 30, steps: 3 } },
      { signal: abort.signal },
    );
    setTimeout(() => abort.abort(), 300);
    await expect(running).rejects.toThrow();
    expect(Date.now() - started).toBeLessThan(5_000);
    const after = await client.callTool({ name: 'everything__echo', arguments: { message: 'still here' } });
    expect(textOf(after)).toContain('still here');
    await client.close();
  });
});
