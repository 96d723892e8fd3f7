import { z } from 'zod';

/** Something stored has changed: whoever remembers it looks again. */
export const Change = z.object({
  topic: z.enum([
    'user',
    'token',
    'server',
    'listing',
    'endpoint',
    'workspace',
    'gateway',
    'session',
    'cancel',
    'mail',
  ]),
  workspaceId: z.string(),
  id: z.string(),
});
export type Change = z.output<typeof Change>;

/** `missed` after a break: anything may have changed meanwhile. */
export type Listener = (change: Change | 'missed') => void;

/** What replicas tell each other. A change reaches every replica, this one included. */
export type Bus = {
  publish(change: Change): Promise<void>;
  /** Returns the function that ends it. */
  subscribe(listener: Listener): () => void;
  close(): Promise<void>;
};
