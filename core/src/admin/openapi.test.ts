import { api } from '@peta/api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestDatabase } from '../db/test-database.ts';
import { openEnvelope } from '../path/vault/envelope.ts';
import { createTestAdmin } from './io/test-admin.ts';

type Schema = Record<string, unknown>;
type Parameter = { name: string; in: string; required: boolean; schema: Schema };
type Described = {
  operationId: string;
  summary: string;
  security: Schema[];
  parameters: Parameter[];
  requestBody?: {
    required: boolean;
    content: { 'application/json': { schema: { properties: Schema; required: string[] } } };
  };
  responses: Record<string, Schema>;
};
type Document = {
  openapi: string;
  info: Record<string, unknown>;
  paths: Record<string, Record<string, Described>>;
  components: { responses: Record<string, Schema>; securitySchemes: Record<string, Schema> };
};

let document: Document;
let text: string;
let described: [string, string, Described][];
let drop: () => Promise<void>;

beforeAll(async () => {
  const database = await createTestDatabase();
  drop = database.drop;
  const admin = await createTestAdmin({ db: database.db, openEnvelope });
  ({ text } = await admin.send('GET', '/api/openapi.json'));
  document = JSON.parse(text);
  described = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, one]): [string, string, Described] => [path, method, one]),
  );
});
afterAll(() => drop());

const declared = Object.entries(api).flatMap(([resource, group]) =>
  Object.entries(group).map(([verb, operation]) => ({ name: `${resource}.${verb}`, ...operation })),
);

/** Everything below a value that stands under one of these keys. */
const valuesOf = (value: unknown, key: string): unknown[] =>
  typeof value !== 'object' || value === null
    ? []
    : Object.entries(value).flatMap(([name, one]) => (name === key ? [one] : []).concat(valuesOf(one, key)));

describe('the OpenAPI document', () => {
  test('is of version 3.1 and says what it describes', () => {
    expect(document.openapi).toMatch(/^3\.1\.\d+$/);
    expect(document.info).toMatchObject({ title: 'Peta', version: expect.any(String) });
    expect(Object.keys(document).sort()).toEqual(['components', 'info', 'openapi', 'paths']);
  });

  test('describes every declared operation once, and nothing else', () => {
    expect(described.map(([, , { operationId }]) => operationId).sort()).toEqual(
      declared.map(({ name }) => name).sort(),
    );
    for (const { name, method, path } of declared)
      expect(document.paths[`/api/v1${path.replace(/:(\w+)/g, '{$1}')}`]?.[method.toLowerCase()]?.operationId).toBe(
        name,
      );
  });

  test('names every path parameter, required, and no other', () => {
    for (const [path, , { parameters }] of described) {
      const inPath = parameters.filter((one) => one.in === 'path');
      expect(inPath.map(({ name }) => name).sort()).toEqual(
        [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort(),
      );
      expect(inPath.every(({ required }) => required)).toBe(true);
      expect(new Set(parameters.map((one) => `${one.in} ${one.name}`)).size).toBe(parameters.length);
      for (const { schema } of parameters) expect(typeof schema).toBe('object');
    }
  });

  test('has a body exactly where one is read, and every input in one place', () => {
    for (const [, method, { parameters, requestBody, operationId }] of described) {
      const hasBody = method !== 'get' && method !== 'delete';
      expect([operationId, requestBody !== undefined]).toEqual([operationId, hasBody]);
      const body = requestBody?.content['application/json'].schema;
      const [resource = '', verb = ''] = operationId.split('.');
      const group = (api as unknown as Record<string, Record<string, { input: { shape: object } }>>)[resource];
      const fields = [...parameters.map(({ name }) => name), ...Object.keys(body?.properties ?? {})];
      expect(fields.sort()).toEqual(Object.keys(group?.[verb]?.input.shape ?? {}).sort());
      for (const name of body?.required ?? []) expect(body?.properties).toHaveProperty(name);
      if (hasBody) expect(parameters.every((one) => one.in === 'path')).toBe(true);
    }
  });

  test('says who may, and what is answered to those who may not', () => {
    for (const [, , { operationId, security, responses }] of described) {
      const { guard } = declared.find(({ name }) => name === operationId) ?? {};
      expect(security).toEqual(guard === 'open' ? [] : [{ bearer: [] }]);
      expect(Object.keys(responses)).toEqual(expect.arrayContaining(['200', '400', '403', '503']));
      expect(Object.keys(responses).includes('401')).toBe(guard !== 'open');
      for (const response of Object.values(responses))
        expect('$ref' in response || typeof response.description === 'string').toBe(true);
    }
    expect(document.components.securitySchemes.bearer).toEqual({ type: 'http', scheme: 'bearer' });
  });

  test('refers only to what it holds', () => {
    const references = valuesOf(document, '$ref').map(String);
    expect(references.length).toBeGreaterThan(0);
    for (const reference of references) {
      expect(reference).toMatch(/^#\//);
      const found = reference
        .slice(2)
        .split('/')
        .reduce<unknown>((value, key) => Object(value)[key], document);
      expect(found).toBeTypeOf('object');
    }
  });

  test('holds JSON Schema 2020-12, not what OpenAPI 3.0 had instead', () => {
    expect(valuesOf(document, 'nullable')).toEqual([]);
    expect(valuesOf(document, '$schema')).toEqual([]);
    const types = new Set(valuesOf(document.paths, 'type').filter((one) => typeof one === 'string'));
    for (const type of types)
      expect(['object', 'array', 'string', 'number', 'integer', 'boolean', 'null']).toContain(type);
  });

  test('never lets a launch configuration out', () => {
    for (const [, , { responses }] of described) expect(JSON.stringify(responses['200'])).not.toContain('launchConfig');
  });
});
