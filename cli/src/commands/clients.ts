import type { OAuthClient } from '@peta/api';
import { type Command, Option } from 'commander';
import { printJson, printLine, printTable } from '../print.ts';
import { clientFor, type TargetOptions } from '../target.ts';

type AddOptions = TargetOptions & {
  json?: boolean;
  user?: string;
  redirect?: string[];
  scopes?: string;
  endpoints?: string;
  auth?: 'client_secret_basic' | 'client_secret_post' | 'none';
};
type Scopes = Exclude<Parameters<Awaited<ReturnType<typeof clientFor>>['clients']['create']>[0]['scopes'], undefined>;

const list = (text: string): string[] => text.split(',').map((one) => one.trim());

const row = (one: OAuthClient): string[] => [
  one.clientId,
  one.name,
  one.isSelfRegistered ? 'self-registered' : 'administrator',
  one.userId ?? '',
  one.scopes?.join(' ') ?? 'all',
  one.endpoints?.join(' ') ?? 'all',
  one.lastUsedAt ?? 'never',
];

export const addClients = (program: Command): void => {
  const clients = program.command('clients').description('OAuth clients');

  clients
    .command('add')
    .description('make a client: with --user its own credentials stand for that agent; the secret is shown once')
    .argument('<name>', 'what people are shown')
    .option('--user <id>', 'the person or agent that its credentials stand for')
    .option('--redirect <uris...>', 'where people who allow it are sent back to')
    .option('--scopes <scopes>', 'such as mcp:tools, separated by commas; default: all')
    .option('--endpoints <paths>', 'such as /mcp/e/research, separated by commas; default: all')
    .addOption(
      new Option('--auth <method>', 'how it proves who it is; none for one that can keep no secret').choices([
        'client_secret_basic',
        'client_secret_post',
        'none',
      ]),
    )
    .action(async (name: string, _options, command: Command) => {
      const { user, redirect, scopes, endpoints, auth, json, ...target } = command.optsWithGlobals<AddOptions>();
      const { client, secret } = await (await clientFor(target)).clients.create({
        name,
        ...(user !== undefined && { userId: user }),
        ...(redirect && { redirectUris: redirect }),
        ...(scopes !== undefined && { scopes: list(scopes) as Scopes }),
        ...(endpoints !== undefined && { endpoints: list(endpoints) }),
        ...(auth && { authMethod: auth }),
      });
      if (json) return printJson({ client, secret });
      printLine(`client id  ${client.clientId}`);
      if (secret === null) return;
      printLine(`secret     ${secret}`);
      console.error('The secret is shown this once.');
    });

  clients
    .command('list')
    .description('clients that an administrator made, and self-registered ones that somebody allowed')
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals();
      const { clients: all } = await (await clientFor(options)).clients.list({});
      if (options.json) return printJson(all);
      printTable(['ID', 'NAME', 'FROM', 'USER', 'SCOPES', 'ENDPOINTS', 'LAST USED'], all.map(row));
    });

  clients
    .command('remove')
    .description('remove a client; everything it was allowed ends within a second')
    .argument('<id>')
    .action(async (clientId: string, _options, command: Command) => {
      const options = command.optsWithGlobals();
      const done = await (await clientFor(options)).clients.remove({ clientId });
      if (options.json) printJson(done);
      else printLine(done.message);
    });

  clients
    .command('rotate-key')
    .description('sign access tokens with a new key from now on; those that were signed before go on until they end')
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals();
      const { keys } = await (await clientFor(options)).signingKeys.rotate({});
      if (options.json) printJson(keys);
      else printLine(`Tokens are signed with the key ${keys[0]?.keyId ?? ''} from now on.`);
    });
};
