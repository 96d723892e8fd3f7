import type { Client, Permissions, User } from '@peta/api';
import type { Command } from 'commander';
import { printJson, printLine, printTable } from '../print.ts';
import { clientFor } from '../target.ts';

const ROLES = ['', 'owner', 'administrator', 'user'] as const;
const STATUS = ['disabled', 'enabled', 'pending', 'suspended'] as const;

const show = (json: boolean | undefined, user: User, sentence: string): void => {
  if (json) printJson(user);
  else printLine(sentence);
};

/** Changes what a person may use of one server, or of one tool of it. */
const setAccess = async (
  api: Client,
  userId: string,
  serverId: string,
  tool: string | undefined,
  enabled: boolean,
): Promise<User> => {
  const { user } = await api.users.get({ userId });
  const held = user.permissions[serverId];
  const switches = tool
    ? {
        ...held,
        enabled: held?.enabled ?? enabled,
        tools: { ...held?.tools, [tool]: { ...held?.tools?.[tool], enabled } },
      }
    : { ...held, enabled };
  const permissions: Permissions = { ...user.permissions, [serverId]: switches };
  return (await api.users.setPermissions({ userId, permissions })).user;
};

export const addUsers = (program: Command): void => {
  const users = program.command('users').description('people and agents');

  users
    .command('add')
    .description('add a person or agent')
    .argument('<id>')
    .option('--name <name>', 'a name for people')
    .option('--administrator', 'may administer Peta')
    .action(
      async (userId: string, { name, administrator }: { name?: string; administrator?: boolean }, command: Command) => {
        const { json, ...target } = command.optsWithGlobals();
        const api = await clientFor(target);
        const { user } = await api.users.create({ userId, name: name ?? userId, role: administrator ? 2 : 3 });
        show(
          json,
          user,
          `${userId} was added. Next: peta users allow ${userId} <server>, then peta tokens issue ${userId}`,
        );
      },
    );

  users
    .command('list')
    .description('people and agents')
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals();
      const { users: all } = await (await clientFor(options)).users.list({});
      if (options.json) return printJson(all);
      if (all.length === 0)
        return printLine('Nobody yet. Open the set-up link (peta setup-link) or add somebody: peta users add ada');
      printTable(
        ['ID', 'NAME', 'ROLE', 'STATUS', 'SERVERS'],
        all.map((u) => [
          u.userId,
          u.name,
          ROLES[u.role],
          STATUS[u.status],
          Object.entries(u.permissions)
            .map(([id, { enabled }]) => (enabled ? id : `not ${id}`))
            .join(', '),
        ]),
      );
    });

  users
    .command('remove')
    .description('remove a person or agent and their tokens')
    .argument('<id>')
    .action(async (userId: string, _options, command: Command) => {
      const options = command.optsWithGlobals();
      const done = await (await clientFor(options)).users.remove({ userId });
      if (options.json) printJson(done);
      else printLine(done.message);
    });

  users
    .command('invite')
    .description('make a one-time link with which a person chooses a password or passkey, the first time or anew')
    .argument('<id>')
    .action(async (userId: string, _options, command: Command) => {
      const options = command.optsWithGlobals();
      const link = await (await clientFor(options)).users.invite({ userId });
      if (options.json) return printJson(link);
      printLine(link.link);
      printLine(`For ${userId} alone. Works once, until ${link.expiresAt}; earlier links of theirs have ended.`);
    });

  users
    .command('sign-out')
    .description('sign a person out of every browser; service tokens go on')
    .argument('<id>')
    .action(async (userId: string, _options, command: Command) => {
      const options = command.optsWithGlobals();
      const done = await (await clientFor(options)).users.signOut({ userId });
      if (options.json) printJson(done);
      else printLine(done.message);
    });

  for (const [verb, status] of [
    ['disable', 0],
    ['enable', 1],
  ] as const)
    users
      .command(verb)
      .description(`${verb} a person or agent; takes effect within a second`)
      .argument('<id>')
      .action(async (userId: string, _options, command: Command) => {
        const { json, ...target } = command.optsWithGlobals();
        const { user } = await (await clientFor(target)).users.update({ userId, status });
        show(json, user, `${userId} is ${verb}d.`);
      });

  for (const [verb, enabled] of [
    ['allow', true],
    ['deny', false],
  ] as const)
    users
      .command(verb)
      .description(`${verb} a person the use of a server, or of one tool of it; takes effect within a second`)
      .argument('<id>')
      .argument('<server>')
      .argument('[tool]')
      .action(async (userId: string, serverId: string, tool: string | undefined, _options, command: Command) => {
        const { json, ...target } = command.optsWithGlobals();
        const user = await setAccess(await clientFor(target), userId, serverId, tool, enabled);
        show(json, user, `${userId} ${enabled ? 'may' : 'may not'} use ${tool ? `${tool} of ` : ''}${serverId}.`);
      });
};
