import { z } from 'zod';
import { operation } from './operation.ts';
import { Done, Id, Time } from './shapes.ts';

export const Environment = z.object({
  environmentId: Id,
  name: z.string(),
  servers: z.array(Id).describe('those that belong to it'),
  createdAt: Time,
});
export type Environment = z.output<typeof Environment>;

const Name = z.string().min(1).max(200);
const Found = z.object({ environment: Environment });

/** Parts of a workspace, such as production and staging. A server belongs to one, or to all of them. */
export const environments = {
  list: operation({
    method: 'GET',
    path: '/environments',
    guard: 'administrator',
    summary: 'Environments, by id, and the servers that belong to each',
    input: z.object({}),
    output: z.object({ environments: z.array(Environment) }),
  }),
  create: operation({
    method: 'POST',
    path: '/environments',
    guard: 'administrator',
    summary: 'Make an environment',
    input: z.object({ environmentId: Id, name: Name.optional() }),
    output: Found,
  }),
  rename: operation({
    method: 'PATCH',
    path: '/environments/:environmentId',
    guard: 'administrator',
    summary: 'Give an environment another name; its id stays',
    input: z.object({ environmentId: Id, name: Name }),
    output: Found,
  }),
  remove: operation({
    method: 'DELETE',
    path: '/environments/:environmentId',
    guard: 'administrator',
    summary: 'Remove an environment to which no server belongs any more',
    input: z.object({ environmentId: Id }),
    output: Done,
  }),
};
