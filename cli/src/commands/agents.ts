import type { User } from '@peta/api';
import type { Command } from 'commander';
import { Failure } from '../failure.ts';
import { printJson, printLine, printTable } from '../print.ts';
import { clientFor, type TargetOptions } from '../target.ts';
import { serversIn, withAccess } from './access.ts';

type Options = TargetOptions & { json?: boolean };
type AddOptions = Options & { name?: string; user?: string; team?: string };

const STATUS = ['disabled', 'enabled', 'pending', 'suspended'] as const;

const show = (json: boolean | undefined, agent: User, sentence: string): void => {
  if (json) printJson(agent);
  else printLine(sentence);
};

export const addAgents = (program: Command): void => {
  const agents = program.command('agents').description('programs that act for a person or a team');

  agents
    .command('add')
    .description('make an agent; it may never use more than the person it belongs to')
    .argument('<id>')
    .option('--name <name>', 'a name for people')
    .option('--user <id>', 'whose agent it is; default: the one whose token this is')
    .option('--team <id>', 'the team whose agent it is')
    .action(async (userId: string, _options, command: Command) => {
      const { name, user, team, json, ...target } = command.optsWithGlobals<AddOptions>();
      const { agent } = await (await clientFor(target)).agents.create({
        userId,
        ...(name !== undefined && { name }),
        ...(user !== undefined && { ownerUserId: user }),
        ...(team !== undefined && { ownerTeamId: team }),
      });
      const next = `Next: peta agents allow ${userId} <server>, then peta tokens issue ${userId}`;
      show(json, agent, `${userId} was made. ${next}`);
    });

  agents
    .command('list')
    .description('own agents, for administrators those of everybody')
    .action(async (_options, command: Command) => {
      const { json, ...target } = command.optsWithGlobals<Options>();
      const { agents: all } = await (await clientFor(target)).agents.list({});
      if (json) return printJson(all);
      if (all.length === 0) return printLine('No agents yet. Make one: peta agents add my-agent --user ada');
      printTable(
        ['ID', 'NAME', 'OF', 'STATUS', 'SERVERS'],
        all.map((one) => [
          one.userId,
          one.name,
          one.ownerUserId ?? `team ${one.ownerTeamId}`,
          STATUS[one.status],
          serversIn(one.permissions),
        ]),
      );
    });

  agents
    .command('remove')
    .description('remove an agent and its tokens')
    .argument('<id>')
    .action(async (userId: string, _options, command: Command) => {
      const { json, ...target } = command.optsWithGlobals<Options>();
      const done = await (await clientFor(target)).agents.remove({ userId });
      if (json) printJson(done);
      else printLine(done.message);
    });

  for (const [verb, status] of [
    ['disable', 0],
    ['enable', 1],
  ] as const)
    agents
      .command(verb)
      .description(`${verb} an agent; takes effect within a second`)
      .argument('<id>')
      .action(async (userId: string, _options, command: Command) => {
        const { json, ...target } = command.optsWithGlobals<Options>();
        const { agent } = await (await clientFor(target)).agents.update({ userId, status });
        show(json, agent, `${userId} is ${verb}d.`);
      });

  for (const [verb, enabled] of [
    ['allow', true],
    ['deny', false],
  ] as const)
    agents
      .command(verb)
      .description(`${verb} an agent the use of a server, or of one tool of it; takes effect within a second`)
      .argument('<id>')
      .argument('<server>')
      .argument('[tool]')
      .action(async (userId: string, serverId: string, tool: string | undefined, _options, command: Command) => {
        const { json, ...target } = command.optsWithGlobals<Options>();
        const api = await clientFor(target);
        const held = (await api.agents.list({})).agents.find((one) => one.userId === userId);
        if (!held) throw new Failure(`There is no agent "${userId}" that you may change.`);
        const permissions = withAccess(held.permissions, serverId, tool, enabled);
        const { agent } = await api.agents.update({ userId, permissions });
        show(json, agent, `${userId} ${enabled ? 'may' : 'may not'} use ${tool ? `${tool} of ` : ''}${serverId}.`);
      });
};
