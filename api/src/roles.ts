import { z } from 'zod';
import { operation } from './operation.ts';
import { Done, Id, Time } from './shapes.ts';

/** A role of the workspace: operations that its holders may do besides what every user may. */
export const CustomRole = z.object({
  roleId: Id,
  name: z.string(),
  operations: z.array(z.string()).describe('by name, such as servers.stop'),
  createdAt: Time,
  updatedAt: Time,
});
export type CustomRole = z.output<typeof CustomRole>;

const Names = z.array(z.string().min(1).max(100)).max(500);
const One = z.object({ roleId: Id });
const Found = z.object({ role: CustomRole });

export const roles = {
  list: operation({
    method: 'GET',
    path: '/roles',
    guard: 'administrator',
    summary: "The workspace's own roles, by id; auditor is built in and not among them",
    input: z.object({}),
    output: z.object({ roles: z.array(CustomRole) }),
  }),
  operations: operation({
    method: 'GET',
    path: '/roles/operations',
    guard: 'administrator',
    summary: 'Every operation by name, and whether a role may include it',
    input: z.object({}),
    output: z.object({
      operations: z.array(
        z.object({
          name: z.string(),
          summary: z.string(),
          guard: z.enum(['open', 'user', 'administrator', 'owner']),
          isReading: z.boolean(),
          isAssignable: z.boolean().describe('a role may include it'),
        }),
      ),
    }),
  }),
  create: operation({
    method: 'POST',
    path: '/roles',
    guard: 'owner',
    summary: 'Make a role: a named set of operations',
    input: z.object({ roleId: Id, name: z.string().min(1).max(200).optional(), operations: Names }),
    output: Found,
  }),
  update: operation({
    method: 'PATCH',
    path: '/roles/:roleId',
    guard: 'owner',
    summary: 'Change a role; its holders follow at once',
    input: z.object({ roleId: Id, name: z.string().min(1).max(200).optional(), operations: Names.optional() }),
    output: Found,
  }),
  remove: operation({
    method: 'DELETE',
    path: '/roles/:roleId',
    guard: 'owner',
    summary: 'Remove a role and take it from its holders at once',
    input: One,
    output: Done,
  }),
};
