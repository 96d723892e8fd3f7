import { z } from 'zod';

/** Ids of people and servers: what a path segment, a file name and a log line can carry unescaped. */
export const Id = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
    'letters, digits, "." "_" "-", at most 64, starting with a letter or digit',
  );

export const Time = z.iso.datetime().describe('ISO 8601, UTC');

/** Published numbers. 0 is read as 3 on input. */
export const Role = z.union([z.literal(1), z.literal(2), z.literal(3)]).describe('1 owner, 2 administrator, 3 user');
export const UserStatus = z
  .union([z.literal(0), z.literal(1), z.literal(2), z.literal(3)])
  .describe('0 disabled, 1 enabled, 2 pending, 3 suspended');
export const ServerStatus = z
  .union([z.literal(0), z.literal(1), z.literal(2), z.literal(3), z.literal(4)])
  .describe('0 online, 1 offline, 2 connecting, 3 error, 4 sleeping');
export const DangerLevel = z
  .union([z.literal(0), z.literal(1), z.literal(2)])
  .describe('0 silent, 1 notification, 2 approval');
export type DangerLevel = z.output<typeof DangerLevel>;

/** One switch of one layer. */
export const Switch = z.object({
  enabled: z.boolean().default(true),
  description: z.string().optional(),
  dangerLevel: DangerLevel.optional(),
});
export type Switch = z.output<typeof Switch>;

/** What one layer says of one server. What it does not mention it leaves as the layer before it had it. */
export const Switches = z.object({
  enabled: z.boolean().default(true),
  tools: z.record(z.string(), Switch).optional(),
  resources: z.record(z.string(), Switch).optional(),
  prompts: z.record(z.string(), Switch).optional(),
});
export type Switches = z.output<typeof Switches>;

const SwitchChange = z.object({
  enabled: z.boolean().optional(),
  description: z.string().optional(),
  dangerLevel: DangerLevel.optional(),
});

/** A part of one layer, to be merged into it: whatever it leaves out stays as it was. */
export const SwitchesChange = z.object({
  enabled: z.boolean().optional(),
  tools: z.record(z.string(), SwitchChange).optional(),
  resources: z.record(z.string(), SwitchChange).optional(),
  prompts: z.record(z.string(), SwitchChange).optional(),
});
export type SwitchesChange = z.output<typeof SwitchesChange>;

/** A person's permissions, or a person's choices for one client: server id → switches. */
export const Permissions = z.record(z.string(), Switches);
export type Permissions = z.output<typeof Permissions>;

export const Done = z.object({ message: z.string() });
