import { readFile } from 'node:fs/promises';
import type { Client } from '@peta/api';
import { Failure, Misuse } from '../failure.ts';

type Selection = Parameters<Client['endpoints']['create']>[0]['selection'];

const NOTHING = { resources: [], prompts: [] };

/** `files` is the whole server, `files:read_file,list_directory` two tools of it. */
const selected = (word: string): Selection[number] => {
  const [serverId = '', ...rest] = word.split(':');
  if (rest.length === 0) return { serverId };
  const tools = rest.join(':').split(',').filter(Boolean);
  if (tools.length === 0) throw new Misuse(`${word}: name the tools after the colon, separated by commas.`);
  return { serverId, include: { ...NOTHING, tools } };
};

const fromFile = async (file: string): Promise<Selection> => {
  const text = await readFile(file, 'utf8').catch(() => {
    throw new Failure(`${file} cannot be read.`);
  });
  try {
    const selection: unknown = JSON.parse(text);
    // What it holds is checked where it is used: at the other end.
    if (Array.isArray(selection)) return selection as Selection;
  } catch {}
  throw new Failure(`${file} holds no selection: a JSON array of servers is needed.`);
};

/** What an endpoint is to show, by words or by a file. Throws `Misuse` for neither or both. */
export const readSelection = async (words: readonly string[], file: string | undefined): Promise<Selection> => {
  if (words.length > 0 === (file !== undefined))
    throw new Misuse('Say what the endpoint shows in one way: servers, or --selection with a file.');
  return file === undefined ? words.map(selected) : fromFile(file);
};
