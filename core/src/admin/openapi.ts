import type { Guard, Operation } from '@peta/api';
import { z } from 'zod';
import type { Named } from './run.ts';

type Schema = Record<string, unknown>;
type Property = { name: string; schema: Schema; required: boolean };

const jsonSchema = (schema: z.ZodType, io: 'input' | 'output'): Schema => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, target: 'draft-2020-12', unrepresentable: 'any' });
  return rest;
};

const propertiesOf = (operation: Operation): Property[] => {
  const { properties = {}, required = [] } = jsonSchema(operation.input, 'input') as {
    properties?: Record<string, Schema>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, schema]) => ({ name, schema, required: required.includes(name) }));
};

const pathNames = (path: string): string[] => [...path.matchAll(/:(\w+)/g)].map(([, name]) => name ?? '');

const parameter = (place: 'path' | 'query', { name, schema, required }: Property) => ({
  name,
  in: place,
  required: place === 'path' || required,
  schema,
});

/** What an operation may answer instead: everybody's faults, then the guard's, then what is missing or taken. */
const errorsOf = (guard: Guard, hasBody: boolean): string[] => [
  '400',
  ...(guard === 'open' ? [] : ['401']),
  '403',
  '404',
  '409',
  ...(hasBody ? ['413', '415'] : []),
  '500',
  '503',
];

const describe = ({ name, operation }: Named) => {
  const { method, path, guard, summary, action, output } = operation;
  const inPath = pathNames(path);
  const properties = propertiesOf(operation);
  const rest = properties.filter((property) => !inPath.includes(property.name));
  const hasBody = method !== 'GET' && method !== 'DELETE';
  const body = {
    type: 'object',
    properties: Object.fromEntries(rest.map((property) => [property.name, property.schema])),
    required: rest.filter(({ required }) => required).map((property) => property.name),
    additionalProperties: false,
  };
  return {
    operationId: name,
    tags: [name.split('.')[0]],
    summary,
    description: `For: ${guard === 'open' ? 'anybody' : guard}.${action ? ` Published action ${action}.` : ''}`,
    security: guard === 'open' ? [] : [{ bearer: [] }],
    parameters: [
      ...properties.filter((property) => inPath.includes(property.name)).map((property) => parameter('path', property)),
      ...(hasBody ? [] : rest.map((property) => parameter('query', property))),
    ],
    ...(hasBody && {
      requestBody: { required: body.required.length > 0, content: { 'application/json': { schema: body } } },
    }),
    responses: {
      '200': { description: 'Done.', content: { 'application/json': { schema: jsonSchema(output, 'output') } } },
      ...Object.fromEntries(
        errorsOf(guard, hasBody).map((status) => [status, { $ref: '#/components/responses/Error' }]),
      ),
    },
  };
};

/** The OpenAPI 3.1 document of every declared operation. */
export const createOpenApi = (operations: readonly Named[], version: string) => {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const named of operations) {
    const path = `/api/v1${named.operation.path.replace(/:(\w+)/g, '{$1}')}`;
    paths[path] = { ...paths[path], [named.operation.method.toLowerCase()]: describe(named) };
  }
  const error = {
    type: 'object',
    required: ['error', 'message', 'code'],
    properties: { error: { type: 'string' }, message: { type: 'string' }, code: { type: 'string' } },
  };
  return {
    openapi: '3.1.0',
    info: { title: 'Peta', version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    paths,
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
      responses: { Error: { description: 'Refused, and why.', content: { 'application/json': { schema: error } } } },
    },
  };
};
