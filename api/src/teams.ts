import { z } from 'zod';
import { operation } from './operation.ts';
import { Done, Id, Time } from './shapes.ts';

export const Team = z.object({
  teamId: Id,
  name: z.string(),
  description: z.string(),
  members: z.array(Id).describe('ids of people'),
  createdAt: Time,
  updatedAt: Time,
});
export type Team = z.output<typeof Team>;

const Options = z.object({
  name: z.string().min(1).max(200).optional(),
  description: z.string().max(2_000).optional(),
});
export type TeamChanges = z.output<typeof Options>;

const One = z.object({ teamId: Id });
const Member = z.object({ teamId: Id, userId: Id });
const Found = z.object({ team: Team });

/** Groups of people. A team may have agents of its own. */
export const teams = {
  list: operation({
    method: 'GET',
    path: '/teams',
    guard: 'administrator',
    summary: 'Teams with their members, by id',
    input: z.object({}),
    output: z.object({ teams: z.array(Team) }),
  }),
  get: operation({
    method: 'GET',
    path: '/teams/:teamId',
    guard: 'administrator',
    summary: 'One team',
    input: One,
    output: Found,
  }),
  create: operation({
    method: 'POST',
    path: '/teams',
    guard: 'administrator',
    summary: 'Make a team',
    input: Options.extend({ teamId: Id }),
    output: Found,
  }),
  update: operation({
    method: 'PATCH',
    path: '/teams/:teamId',
    guard: 'administrator',
    summary: 'Rename or describe a team',
    input: Options.extend({ teamId: Id }),
    output: Found,
  }),
  remove: operation({
    method: 'DELETE',
    path: '/teams/:teamId',
    guard: 'administrator',
    summary: "Remove a team, and with it the team's agents; its members stay",
    input: One,
    output: Done,
  }),
  addMember: operation({
    method: 'PUT',
    path: '/teams/:teamId/members/:userId',
    guard: 'administrator',
    summary: 'Put a person into a team',
    input: Member,
    output: Found,
  }),
  removeMember: operation({
    method: 'DELETE',
    path: '/teams/:teamId/members/:userId',
    guard: 'administrator',
    summary: 'Take a person out of a team',
    input: Member,
    output: Found,
  }),
};
