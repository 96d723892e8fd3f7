import type { Listing } from '#call';

/** What lies outside `admin/`, as its tests have it. */
export const LISTING: Listing = {
  tools: [{ name: 'echo', description: 'Says it again' }, { name: 'add' }],
  resources: [{ uri: 'notes://all' }],
  templates: [{ uriTemplate: 'notes://{id}' }],
  prompts: [{ name: 'sum' }],
};

/** As if both servers had it. */
export const collisionOf = (first: string, second: string) => ({
  name: 'echo',
  first: { kind: 'tool', serverId: first, name: 'echo' },
  second: { kind: 'tool', serverId: second, name: 'echo' },
});
