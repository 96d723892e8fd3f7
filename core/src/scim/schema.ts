/** RFC 7643 section 7. */
export type Attribute = {
  name: string;
  type: 'string' | 'boolean' | 'complex' | 'reference' | 'dateTime';
  multiValued: boolean;
  description: string;
  required: boolean;
  caseExact: boolean;
  mutability: 'readOnly' | 'readWrite' | 'immutable';
  returned: 'always' | 'default';
  uniqueness: 'none' | 'server';
  canonicalValues?: string[];
  referenceTypes?: string[];
  subAttributes?: Attribute[];
};

export type Schema = {
  id: string;
  name: 'User' | 'Group';
  endpoint: string;
  description: string;
  attributes: Attribute[];
  /** What the RFC names besides, in lower case: taken and not kept. */
  ignored: ReadonlySet<string>;
};

export const USER = 'urn:ietf:params:scim:schemas:core:2.0:User';
export const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group';
/** Its attributes are taken and not kept. */
const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

const attribute = (name: string, description: string, more: Partial<Attribute> = {}): Attribute => ({
  name,
  type: 'string',
  multiValued: false,
  description,
  required: false,
  caseExact: false,
  mutability: 'readWrite',
  returned: 'default',
  uniqueness: 'none',
  ...more,
});
const complex = (name: string, description: string, subAttributes: Attribute[], more: Partial<Attribute> = {}) =>
  attribute(name, description, { type: 'complex', subAttributes, ...more });

/** Of every resource, and so in no schema (RFC 7643 section 3.1). */
export const COMMON: readonly Attribute[] = [
  attribute('schemas', 'What it holds', { multiValued: true, mutability: 'readOnly', returned: 'always' }),
  attribute('id', "Peta's own id", { caseExact: true, mutability: 'readOnly', returned: 'always' }),
  attribute('externalId', "The directory's id", { caseExact: true }),
  complex('meta', 'About the resource', [], { mutability: 'readOnly' }),
];

const user: Schema = {
  id: USER,
  name: 'User',
  endpoint: '/Users',
  description: 'A person of the workspace',
  attributes: [
    attribute('userName', 'What the directory knows the person by; an e-mail address is one to sign in with', {
      required: true,
      uniqueness: 'server',
    }),
    complex('name', "The parts of the person's name", [
      attribute('formatted', 'The whole name'),
      attribute('familyName', 'The family name'),
      attribute('givenName', 'The given name'),
      attribute('middleName', 'Middle names'),
      attribute('honorificPrefix', 'What stands before the name'),
      attribute('honorificSuffix', 'What stands behind the name'),
    ]),
    attribute('displayName', 'The name shown in Peta; made of the other names where it is not given'),
    attribute('nickName', 'What friends say'),
    attribute('title', 'The title in the organisation'),
    attribute('userType', 'How the person belongs to the organisation'),
    attribute('preferredLanguage', 'As in Accept-Language'),
    attribute('locale', 'Where numbers and dates are written so'),
    attribute('timezone', 'From the IANA time zone database'),
    attribute('active', 'Whether the person may use Peta; what is open ends at once when it becomes false', {
      type: 'boolean',
    }),
    complex(
      'emails',
      'E-mail addresses; the primary one is one to sign in with',
      [
        attribute('value', 'The address'),
        attribute('display', 'How it is shown'),
        attribute('type', 'What it is for', { canonicalValues: ['work', 'home', 'other'] }),
        attribute('primary', 'Whether it is the first to use', { type: 'boolean' }),
      ],
      { multiValued: true },
    ),
    complex(
      'groups',
      'The teams the person is in; change them at the groups',
      [
        attribute('value', "The group's id", { caseExact: true, mutability: 'readOnly' }),
        attribute('$ref', "The group's address", {
          type: 'reference',
          referenceTypes: ['Group'],
          caseExact: true,
          mutability: 'readOnly',
        }),
        attribute('display', "The group's name", { mutability: 'readOnly' }),
        attribute('type', 'Always direct', { canonicalValues: ['direct'], mutability: 'readOnly' }),
      ],
      { multiValued: true, mutability: 'readOnly' },
    ),
  ],
  ignored: new Set(
    'password profileurl phonenumbers ims photos addresses entitlements roles x509certificates'.split(' '),
  ),
};

const group: Schema = {
  id: GROUP,
  name: 'Group',
  endpoint: '/Groups',
  description: 'A team of the workspace',
  attributes: [
    attribute('displayName', "The team's name", { required: true, uniqueness: 'server' }),
    complex(
      'members',
      'The people in the team',
      [
        attribute('value', "The person's id", { caseExact: true, mutability: 'immutable' }),
        attribute('$ref', "The person's address", {
          type: 'reference',
          referenceTypes: ['User'],
          caseExact: true,
          mutability: 'readOnly',
        }),
        attribute('display', "The person's name", { mutability: 'readOnly' }),
        attribute('type', 'Always User', { canonicalValues: ['User'], mutability: 'immutable' }),
      ],
      { multiValued: true },
    ),
  ],
  ignored: new Set(),
};

export const schemas = { user, group };

/** By its name in any case (RFC 7643 section 2.1). */
export const attributeOf = (attributes: readonly Attribute[], name: string): Attribute | undefined => {
  const lower = name.toLowerCase();
  return attributes.find((one) => one.name.toLowerCase() === lower);
};

/** The path without the URN of its own schema before it. */
export const withoutUrn = ({ id }: Schema, path: string): string =>
  path.toLowerCase().startsWith(`${id.toLowerCase()}:`) ? path.slice(id.length + 1) : path;

/** Is this of an extension, or an attribute of the RFC, that is taken and not kept? */
export const isIgnored = ({ ignored }: Schema, path: string): boolean => {
  const lower = path.toLowerCase();
  const extension = ENTERPRISE.toLowerCase();
  return lower === extension || lower.startsWith(`${extension}:`) || ignored.has(/^[^.[]*/.exec(lower)?.[0] ?? '');
};
