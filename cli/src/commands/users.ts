import type { User } from '@peta/api';
import type { Command } from 'commander';
import { printJson, printLine, printTable } from '../print.ts';
import { clientFor } from '../target.ts';
import { serversIn, withAccess } from './access.ts';

const ROLES = ['', 'owner', 'administrator', 'user'] as const;
type AddOptions = { name?: string; role: string; email?: string };

const STATUS = ['disabled', 'enabled', 'pending', 'suspended'] as const;

const show = (json: boolean | undefined, user: User, sentence: string): void => {
  if (json) printJson(user);
  else printLine(sentence);
};

/** What a role's word stands for: a published number, or a role by name of somebody whose number is 3. */
const roleOf = (word: string): { role: 2 | 3; roleId?: string } => {
  if (word === 'administrator') return { role: 2 };
  return word === 'user' ? { role: 3 } : { role: 3, roleId: word };
};

export const addUsers = (program: Command): void => {
  const users = program.command('users').description('people and agents');

  users
    .command('add')
    .description('add a person or agent')
    .argument('<id>')
    .option('--name <name>', 'a name for people')
    .option('--role <role>', 'user, administrator, auditor, or a role of the workspace', 'user')
    .option('--email <address>', 'what the person may sign in with besides the id')
    .action(async (userId: string, { name, role, email }: AddOptions, command: Command) => {
      const { json, ...target } = command.optsWithGlobals();
      const api = await clientFor(target);
      const { user } = await api.users.create({
        userId,
        name: name ?? userId,
        ...roleOf(role),
        ...(email && { email }),
      });
      const next = `Next: peta users allow ${userId} <server>, then peta tokens issue ${userId}`;
      show(json, user, `${userId} was added. ${next}`);
    });

  users
    .command('role')
    .description('give a user a role: auditor, or one of the workspace; user takes it away')
    .argument('<id>')
    .argument('<role>')
    .action(async (userId: string, word: string, _options, command: Command) => {
      const { json, ...target } = command.optsWithGlobals();
      const roleId = word === 'user' ? null : word;
      const { user } = await (await clientFor(target)).users.update({ userId, roleId });
      show(json, user, roleId ? `${userId} has the role ${roleId}.` : `${userId} has no role.`);
    });

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
          u.kind === 'agent' ? `agent of ${u.ownerUserId ?? u.ownerTeamId}` : (u.roleId ?? ROLES[u.role]),
          STATUS[u.status],
          serversIn(u.permissions),
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
        const api = await clientFor(target);
        const held = (await api.users.get({ userId })).user;
        const permissions = withAccess(held.permissions, serverId, tool, enabled);
        const { user } = await api.users.setPermissions({ userId, permissions });
        show(json, user, `${userId} ${enabled ? 'may' : 'may not'} use ${tool ? `${tool} of ` : ''}${serverId}.`);
      });
};
