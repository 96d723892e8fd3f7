/** Every operation of the API, with inputs made from its declaration: those of today and those to come. */
import { api, type Operation } from '@peta/api';
import { z } from 'zod';

type Schema = {
  type?: string | string[];
  format?: string;
  pattern?: string;
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
  items?: Schema;
  minItems?: number;
  properties?: Record<string, Schema>;
  required?: string[];
};
export type Named = { name: string; operation: Operation };
/** Values by the name of the field that they belong in. */
export type Values = ReadonlyMap<string, unknown>;
type Input = Record<string, unknown>;

export const operations: readonly Named[] = Object.entries(api).flatMap(([resource, group]) =>
  Object.entries(group).map(([verb, operation]): Named => ({ name: `${resource}.${verb}`, operation })),
);

const GHOST_UUID = '00000000-0000-4000-8000-000000000000';
const GHOST = 'nobody-and-nothing';
/** Text that names nothing. */
const TEXT = 'any-text';
export const ghostOf = (value: unknown): unknown => {
  if (typeof value === 'number') return 999_999;
  if (/^[0-9a-f]{64}$/.test(String(value))) return '0'.repeat(64);
  return /^[0-9a-f]{8}-[0-9a-f]{4}-/.test(String(value)) ? GHOST_UUID : GHOST;
};

const sample = (schema: Schema): unknown => {
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  const choice = schema.anyOf ?? schema.oneOf;
  if (choice) return sample(choice[0] ?? {});
  switch (Array.isArray(schema.type) ? schema.type[0] : schema.type) {
    case 'object':
      return Object.fromEntries((schema.required ?? []).map((key) => [key, sample(schema.properties?.[key] ?? {})]));
    case 'array':
      return schema.minItems ? [sample(schema.items ?? {})] : [];
    case 'integer':
    case 'number':
      return 1;
    case 'boolean':
      return true;
    case 'string':
      if (schema.format === 'uuid') return GHOST_UUID;
      return schema.format === 'date-time' ? '2020-01-01T00:00:00Z' : TEXT;
    default:
      return TEXT;
  }
};

const schemaOf = ({ input }: Operation): Schema =>
  z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' }) as Schema;

/** Does the field name a thing that somebody has? */
const isId = (resource: string, field: string): boolean =>
  /Ids?$/.test(field) ||
  ['client', 'environment', 'selection'].includes(field) ||
  (resource === 'endpoints' && field === 'name');

export const idsOf = ({ name, operation }: Named): string[] => {
  const [resource = ''] = name.split('.');
  return Object.keys(schemaOf(operation).properties ?? {}).filter((field) => isId(resource, field));
};

/** Does it make something that is called as its maker says? */
export const isMaking = (named: Named): boolean =>
  named.operation.method === 'POST' && !named.operation.path.includes(':') && idsOf(named).length > 0;

const KEYS: Record<string, string> = { environment: 'environmentId', ownerUserId: 'userId' };

/** A value for a field that names something, out of what somebody has. */
const valueFor = (named: Named, field: string, values: Values): unknown => {
  const key = named.name.startsWith('endpoints.') && field === 'name' ? 'endpointName' : (KEYS[field] ?? field);
  if (field === 'selection') return [{ serverId: values.get('serverId') ?? GHOST }];
  if (field.endsWith('Ids')) return [values.get(field.slice(0, -1)) ?? GHOST];
  return values.get(key) ?? sample(schemaOf(named.operation).properties?.[field] ?? {});
};

/** What the operation must be given, and what names something: each field as `choose` takes it from. */
export const inputFor = (named: Named, choose: (field: string) => Values): Input => {
  const { properties = {}, required = [] } = schemaOf(named.operation);
  const ids = idsOf(named);
  const needed = required.filter((field) => !ids.includes(field));
  return {
    ...Object.fromEntries(needed.map((field) => [field, sample(properties[field] ?? {})])),
    ...Object.fromEntries(ids.map((field) => [field, valueFor(named, field, choose(field))])),
    ...(properties.launchConfig &&
      required.includes('launchConfig') && {
        launchConfig: { type: 'stdio', command: process.execPath, args: ['-e', ''] },
      }),
  };
};

export type Answer = { status: number; text: string };

/** One operation as it goes over the wire. */
export const perform = async (url: string, token: string, { operation }: Named, input: Input): Promise<Answer> => {
  const rest = { ...input };
  const path = operation.path.replace(/:(\w+)/g, (_, field: string) => {
    const value = String(rest[field] ?? GHOST);
    delete rest[field];
    return encodeURIComponent(value);
  });
  const hasBody = operation.method !== 'GET' && operation.method !== 'DELETE';
  const flat = Object.entries(rest).map(([key, value]): [string, string] => [key, String(value)]);
  const query = hasBody || flat.length === 0 ? '' : `?${new URLSearchParams(flat)}`;
  const response = await fetch(`${url}/api/v1${path}${query}`, {
    method: operation.method,
    headers: { authorization: `Bearer ${token}`, ...(hasBody && { 'content-type': 'application/json' }) },
    ...(hasBody && { body: JSON.stringify(rest) }),
  });
  return { status: response.status, text: await response.text() };
};

/** One published action. */
export const act = async (url: string, token: string, action: number, data: object): Promise<Answer> => {
  const response = await fetch(`${url}/admin`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ action, data }),
  });
  return { status: response.status, text: await response.text() };
};

/** Every published number: those that operations declare, and two that have no operation of their own. */
export const actionNumbers: readonly number[] = [
  ...operations.flatMap(({ operation }) => (operation.action === undefined ? [] : [operation.action])),
  2016,
  2017,
].sort();

/** Gathers what the owner of a workspace has, by the names of fields, out of everything that can be listed. */
export const gather = async (url: string, token: string, mark: string): Promise<Map<string, unknown>> => {
  const found = new Map<string, unknown>([['workspaceId', `workspace-${mark}`]]);
  const add = (key: string, value: unknown) => {
    if (!found.has(key) || String(value).includes(mark)) found.set(key, value);
  };
  const collect = (value: unknown, key?: string): void => {
    if (Array.isArray(value)) for (const one of value) collect(one, key);
    else if (typeof value === 'object' && value !== null)
      for (const [field, inner] of Object.entries(value)) {
        if (key === 'clients') add('client', field);
        collect(inner, field);
      }
    else if (key !== undefined && /Id$/.test(key) && value !== null) add(key, value);
  };
  for (const named of operations) {
    if (named.operation.method !== 'GET' || named.operation.path.includes(':')) continue;
    const { status, text } = await perform(url, token, named, {});
    if (status !== 200) continue;
    const body: unknown = JSON.parse(text);
    collect(body);
    if (named.name === 'endpoints.list')
      for (const { name } of (body as { endpoints: { name: string }[] }).endpoints) add('endpointName', name);
    if (named.name === 'proxy.get') found.set('proxyId', (body as { proxy: { id: number } | null }).proxy?.id);
  }
  return found;
};
