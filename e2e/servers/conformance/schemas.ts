/** Schemas written by hand, which must reach the client as they are. */
import type { JsonSchemaType } from '@modelcontextprotocol/server';

export const ADDRESS_BOOK: JsonSchemaType = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
};

const inHeader = (type: 'string' | 'integer', name: string) => ({ type, 'x-mcp-header': name });

export const PLACE: JsonSchemaType = {
  type: 'object',
  properties: { region: inHeader('string', 'Region'), floor: inHeader('integer', 'Floor'), note: { type: 'string' } },
};
