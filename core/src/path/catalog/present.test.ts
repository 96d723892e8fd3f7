import { expect, test } from 'vitest';
import { exposedUri } from './names.ts';
import { present, presentResult } from './present.ts';

const uriOf = (uri: string) => exposedUri('s', uri);

test('links and embedded resources in a result lead back through the gateway, the rest is untouched', () => {
  const result = {
    content: [
      { type: 'text', text: 'file:///a' },
      { type: 'resource_link', uri: 'file:///a', name: 'a', mimeType: 'text/plain' },
      { type: 'resource', resource: { uri: 'file:///b', text: 'b', _meta: { k: 1 } } },
    ],
    structuredContent: { uri: 'file:///a' },
    _meta: { x: 1 },
  };
  expect(presentResult('tools/call', uriOf, result)).toEqual({
    ...result,
    content: [
      result.content[0],
      { type: 'resource_link', uri: 's::file:///a', name: 'a', mimeType: 'text/plain' },
      { type: 'resource', resource: { uri: 's::file:///b', text: 'b', _meta: { k: 1 } } },
    ],
  });
});

test('prompt messages and read contents carry exposed URIs', () => {
  const messages = [{ role: 'user', content: { type: 'resource', resource: { uri: 'x://1', text: '' } } }];
  expect(presentResult('prompts/get', uriOf, { messages })).toEqual({
    messages: [{ role: 'user', content: { type: 'resource', resource: { uri: 's::x://1', text: '' } } }],
  });
  expect(presentResult('resources/read', uriOf, { contents: [{ uri: 'x://1', text: '' }] })).toEqual({
    contents: [{ uri: 's::x://1', text: '' }],
  });
});

test('a tool keeps its schema and annotations, and its user interface points through the gateway', () => {
  const tool = {
    name: 't',
    inputSchema: { type: 'object' },
    annotations: { readOnlyHint: true },
    _meta: { ui: { resourceUri: 'ui://panel/x', prefersBorder: true } },
  };
  expect(present.tools(tool, { shown: 's__t', uriOf, chosen: { serverId: 's' } })).toEqual({
    ...tool,
    name: 's__t',
    _meta: { ui: { resourceUri: 'ui://s/panel/x', prefersBorder: true } },
  });
});
