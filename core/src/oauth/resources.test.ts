import { expect, test } from 'vitest';
import { createResources } from './resources.ts';

const create = (publicUrl: string, isDerived = false) => createResources({ publicUrl: () => publicUrl, isDerived });

test('only our own endpoints are resources, written exactly', () => {
  const { endpointOf } = create('https://peta.example');
  expect(endpointOf('https://peta.example/mcp')).toBe('/mcp');
  expect(endpointOf('https://peta.example/mcp/public')).toBe('/mcp/public');
  expect(endpointOf('https://peta.example/mcp/e/a.b-c')).toBe('/mcp/e/a.b-c');
  for (const other of [
    'https://peta.example',
    'https://peta.example/',
    'https://peta.example/mcp/',
    'https://peta.example/mcp?x',
    'https://peta.example/mcp#x',
    'https://peta.example/mcp/e/',
    'https://peta.example/mcp/e/a/b',
    'https://peta.example/mcp/e/..',
    'https://peta.example/admin',
    'https://peta.example.evil/mcp',
    'https://PETA.example/mcp',
    'http://peta.example/mcp',
    'https://evil.example/mcp',
    '/mcp',
    '',
  ])
    expect(endpointOf(other), other).toBeUndefined();
});

test('on this machine every name of it is as good, unless a public address is set', () => {
  const local = create('http://127.0.0.1:3002', true);
  for (const host of ['127.0.0.1', 'localhost', '[::1]']) {
    expect(local.endpointOf(`http://${host}:3002/mcp`)).toBe('/mcp');
    expect(local.resourceOf('/mcp', `${host}:3002`)).toBe(`http://${host}:3002/mcp`);
  }
  expect(local.endpointOf('http://localhost:3003/mcp')).toBeUndefined();
  expect(local.resourceOf('/mcp', 'evil.example')).toBe('http://127.0.0.1:3002/mcp');
  const set = create('http://127.0.0.1:3002');
  expect(set.endpointOf('http://localhost:3002/mcp')).toBeUndefined();
  expect(set.resourceOf('/mcp', 'localhost:3002')).toBe('http://127.0.0.1:3002/mcp');
});

test('a public address may have a path', () => {
  expect(create('https://a.example/peta').endpointOf('https://a.example/peta/mcp')).toBe('/mcp');
});
