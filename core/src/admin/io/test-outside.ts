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

/** What single sign-on says of what it is given. */
export const PROVIDERS = {
  async readMetadata(xml: string) {
    if (!xml.startsWith('<')) throw new Error('is no XML.');
    return { entryPoint: 'https://idp.example/sso', idpIssuer: 'https://idp.example', certificates: ['MIIB'] };
  },
  certificateFault: (certificate: string) => (certificate === 'bad' ? 'one cannot be read.' : undefined),
  test: async () => [{ ok: true, message: 'It answers.' }],
};
