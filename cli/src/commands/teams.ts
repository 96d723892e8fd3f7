import type { Team } from '@peta/api';
import type { Command } from 'commander';
import { printJson, printLine, printTable } from '../print.ts';
import { clientFor, type TargetOptions } from '../target.ts';

type Options = TargetOptions & { json?: boolean };
type AddOptions = Options & { name?: string; description?: string };

const show = (json: boolean | undefined, team: Team, sentence: string): void => {
  if (json) printJson(team);
  else printLine(sentence);
};

export const addTeams = (program: Command): void => {
  const teams = program.command('teams').description('groups of people');

  teams
    .command('add')
    .description('make a team')
    .argument('<id>')
    .option('--name <name>', 'a name for people')
    .option('--description <text>', 'what it is for')
    .action(async (teamId: string, _options, command: Command) => {
      const { name, description, json, ...target } = command.optsWithGlobals<AddOptions>();
      const { team } = await (await clientFor(target)).teams.create({
        teamId,
        ...(name !== undefined && { name }),
        ...(description !== undefined && { description }),
      });
      show(json, team, `${teamId} was made. Next: peta teams add-member ${teamId} <user>`);
    });

  teams
    .command('list')
    .description('teams and their members')
    .action(async (_options, command: Command) => {
      const { json, ...target } = command.optsWithGlobals<Options>();
      const { teams: all } = await (await clientFor(target)).teams.list({});
      if (json) return printJson(all);
      if (all.length === 0) return printLine('No teams yet. Make one: peta teams add research');
      printTable(
        ['ID', 'NAME', 'MEMBERS', 'DESCRIPTION'],
        all.map((one) => [one.teamId, one.name, one.members.join(', '), one.description]),
      );
    });

  teams
    .command('remove')
    .description('remove a team and its agents; its members stay')
    .argument('<id>')
    .action(async (teamId: string, _options, command: Command) => {
      const { json, ...target } = command.optsWithGlobals<Options>();
      const done = await (await clientFor(target)).teams.remove({ teamId });
      if (json) printJson(done);
      else printLine(done.message);
    });

  teams
    .command('add-member')
    .description('put a person into a team')
    .argument('<team>')
    .argument('<user>')
    .action(async (teamId: string, userId: string, _options, command: Command) => {
      const { json, ...target } = command.optsWithGlobals<Options>();
      const { team } = await (await clientFor(target)).teams.addMember({ teamId, userId });
      show(json, team, `${userId} is in ${teamId}.`);
    });

  teams
    .command('remove-member')
    .description('take a person out of a team')
    .argument('<team>')
    .argument('<user>')
    .action(async (teamId: string, userId: string, _options, command: Command) => {
      const { json, ...target } = command.optsWithGlobals<Options>();
      const { team } = await (await clientFor(target)).teams.removeMember({ teamId, userId });
      show(json, team, `${userId} is not in ${teamId} any more.`);
    });
};
