import { type SQL, sql } from 'drizzle-orm';
import { schema } from '#db';
import { GROUP, USER } from '../schema.ts';
import type { Column, Columns } from './filter-sql.ts';

const { users, teams, teamMembers } = schema;

const emails: SQL = sql`jsonb_array_elements(case
  when jsonb_typeof(${users.directory}->'emails') = 'array' then ${users.directory}->'emails'
  when ${users.directory} is null and ${users.email} is not null
    then jsonb_build_array(jsonb_build_object('value', ${users.email}, 'type', 'work', 'primary', true))
  else '[]'::jsonb end) as one(email) where true`;

const said = (name: string): [string, Column] => [
  name.toLowerCase(),
  { kind: 'text', at: sql`${users.directory}->>${sql.raw(`'${name}'`)}` },
];
const named = (name: string): [string, Column] => [
  `name.${name.toLowerCase()}`,
  { kind: 'text', at: sql`${users.directory}->'name'->>${sql.raw(`'${name}'`)}` },
];
const schemasOf = (id: string): [string, Column] => ['schemas', { kind: 'text', at: sql.raw(`'${id}'::text`) }];

export const userColumns: Columns = new Map<string, Column>([
  schemasOf(USER),
  ['id', { kind: 'exact', at: sql`${users.id}` }],
  ['externalid', { kind: 'exact', at: sql`${users.externalId}` }],
  [
    'username',
    {
      kind: 'text',
      at: sql`coalesce(${users.directory}->>'userName', ${users.email}, ${users.id})`,
      lower: sql`${users.userName}`,
    },
  ],
  ['displayname', { kind: 'text', at: sql`${users.name}` }],
  ['active', { kind: 'boolean', at: sql`(${users.status} = 1)` }],
  ...['nickName', 'title', 'userType', 'preferredLanguage', 'locale', 'timezone'].map(said),
  ...['formatted', 'familyName', 'givenName', 'middleName', 'honorificPrefix', 'honorificSuffix'].map(named),
  [
    'emails',
    {
      kind: 'many',
      rows: emails,
      columns: {
        value: { kind: 'text', at: sql`one.email->>'value'` },
        display: { kind: 'text', at: sql`one.email->>'display'` },
        type: { kind: 'text', at: sql`one.email->>'type'` },
        primary: { kind: 'boolean', at: sql`(one.email->'primary' = 'true'::jsonb)` },
      },
    },
  ],
  [
    'groups',
    {
      kind: 'many',
      rows: sql`${teamMembers} join ${teams}
        on ${teams.workspaceId} = ${teamMembers.workspaceId} and ${teams.id} = ${teamMembers.teamId}
        where ${teamMembers.workspaceId} = ${users.workspaceId} and ${teamMembers.userId} = ${users.id}`,
      columns: {
        value: { kind: 'exact', at: sql`${teamMembers.teamId}` },
        display: { kind: 'text', at: sql`${teams.name}` },
      },
    },
  ],
  ['meta.resourcetype', { kind: 'text', at: sql.raw(`'User'::text`) }],
  ['meta.created', { kind: 'time', at: sql`${users.createdAt}` }],
  ['meta.lastmodified', { kind: 'time', at: sql`${users.updatedAt}` }],
]);

export const groupColumns: Columns = new Map<string, Column>([
  schemasOf(GROUP),
  ['id', { kind: 'exact', at: sql`${teams.id}` }],
  ['externalid', { kind: 'exact', at: sql`${teams.externalId}` }],
  ['displayname', { kind: 'text', at: sql`${teams.name}` }],
  [
    'members',
    {
      kind: 'many',
      rows: sql`${teamMembers} join ${users}
        on ${users.workspaceId} = ${teamMembers.workspaceId} and ${users.id} = ${teamMembers.userId}
        where ${teamMembers.workspaceId} = ${teams.workspaceId} and ${teamMembers.teamId} = ${teams.id}
          and ${users.kind} = 'person'`,
      columns: {
        value: { kind: 'exact', at: sql`${users.id}` },
        display: { kind: 'text', at: sql`${users.name}` },
        type: { kind: 'text', at: sql.raw(`'User'::text`) },
      },
    },
  ],
  ['meta.resourcetype', { kind: 'text', at: sql.raw(`'Group'::text`) }],
  ['meta.created', { kind: 'time', at: sql`${teams.createdAt}` }],
  ['meta.lastmodified', { kind: 'time', at: sql`${teams.updatedAt}` }],
]);
