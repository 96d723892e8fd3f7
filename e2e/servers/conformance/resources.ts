/** Resources: text, bytes, a template, one to watch, one that asks first. */
import { acceptedContent, inputRequired, ResourceTemplate } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { form } from './forms.ts';
import { PNG } from './say.ts';
import type { Fixture } from './server.ts';

const IDS = ['123', '124', '200'];
const Reason = z.object({ reason: z.string() });

const described = (description: string, mimeType: string) => ({ description, mimeType });

export const addResources = ({ server }: Fixture) => {
  server.registerResource(
    'static-text',
    'test://static-text',
    { ...described('A text', 'text/plain'), cacheHint: { ttlMs: 60_000, cacheScope: 'public' } },
    ({ href: uri }) => ({
      contents: [{ uri, mimeType: 'text/plain', text: 'This is the content of the static text resource.' }],
    }),
  );
  server.registerResource(
    'static-binary',
    'test://static-binary',
    described('An image', 'image/png'),
    ({ href: uri }) => ({ contents: [{ uri, mimeType: 'image/png', blob: PNG }] }),
  );
  server.registerResource(
    'watched-resource',
    'test://watched-resource',
    described('One to subscribe to', 'text/plain'),
    ({ href: uri }) => ({ contents: [{ uri, mimeType: 'text/plain', text: 'Watched resource content' }] }),
  );
  server.registerResource(
    'asking',
    'test://asking',
    described('One that asks why before it is read', 'text/plain'),
    ({ href: uri }, { mcpReq }) => {
      const answer = acceptedContent(mcpReq.inputResponses, 'why', Reason);
      if (!answer) return inputRequired({ inputRequests: { why: form('Why?', { reason: { type: 'string' } }) } });
      return { contents: [{ uri, mimeType: 'text/plain', text: answer.reason }] };
    },
  );
  server.registerResource(
    'template',
    new ResourceTemplate('test://template/{id}/data', {
      list: undefined,
      complete: { id: (start) => IDS.filter((id) => id.startsWith(start)) },
    }),
    described('A record by its id', 'application/json'),
    ({ href: uri }, { id }) => {
      const data = JSON.stringify({ id, templateTest: true, data: `Data for ID: ${String(id)}` });
      return { contents: [{ uri, mimeType: 'application/json', text: data }] };
    },
  );
};
