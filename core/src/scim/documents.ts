import type { JsonObject } from '#call';
import { MAX_RESULTS } from './list.ts';
import { type Attribute, type Schema, schemas } from './schema.ts';

const all: readonly Schema[] = [schemas.user, schemas.group];

const withMeta = (resourceType: string, location: string) => ({ meta: { resourceType, location } });

const toAttribute = ({ subAttributes, ...attribute }: Attribute): JsonObject => ({
  ...attribute,
  ...(subAttributes && { subAttributes: subAttributes.map(toAttribute) }),
});

/** RFC 7643 section 7. */
export const schemaDocuments = (base: string): JsonObject[] =>
  all.map(({ id, name, description, attributes }) => ({
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:Schema'],
    id,
    name,
    description,
    attributes: attributes.map(toAttribute),
    ...withMeta('Schema', `${base}/Schemas/${id}`),
  }));

/** RFC 7643 section 6. */
export const resourceTypes = (base: string): JsonObject[] =>
  all.map(({ id, name, endpoint, description }) => ({
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:ResourceType'],
    id: name,
    name,
    endpoint,
    description,
    schema: id,
    schemaExtensions: [],
    ...withMeta('ResourceType', `${base}/ResourceTypes/${name}`),
  }));

/** RFC 7643 section 5. */
export const serviceProviderConfig = (base: string): JsonObject => ({
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig'],
  patch: { supported: true },
  bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
  filter: { supported: true, maxResults: MAX_RESULTS },
  changePassword: { supported: false },
  sort: { supported: true },
  etag: { supported: true },
  authenticationSchemes: [
    {
      type: 'oauthbearertoken',
      name: 'Bearer token',
      description: 'A service token of the workspace',
      specUri: 'https://www.rfc-editor.org/info/rfc6750',
      primary: true,
    },
  ],
  ...withMeta('ServiceProviderConfig', `${base}/ServiceProviderConfig`),
});
