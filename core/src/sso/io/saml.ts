import { X509Certificate } from 'node:crypto';
import { generateServiceProviderMetadata, SAML, SamlStatusError, ValidateInResponseTo } from '@node-saml/node-saml';
import { z } from 'zod';
import { emailIn } from '../mapping.ts';
import type { SamlProvider, Vouched } from '../provider.ts';
import { noSubject, notBelieved, saidNo, TurnedAway } from '../turned-away.ts';

/** What is kept between sending somebody to a provider and their coming back. */
export const SamlStep = z.object({ revision: z.string(), next: z.string() });

/** What a valid assertion says, kept until the browser that asked for it comes for it. */
export const SamlAnswer = z.object({
  revision: z.string(),
  requestId: z.string(),
  vouched: z.object({
    subject: z.string(),
    email: z.string().optional(),
    isEmailVerified: z.boolean(),
    name: z.string().optional(),
    username: z.string().optional(),
    groups: z.array(z.string()),
  }),
});

/** The addresses of this service provider at one identity provider. */
export type SamlAddresses = { entityId: string; acs: string };

type Options = {
  /** Milliseconds since the epoch. */
  now(): number;
};

const SKEW_MS = 60_000;
const MAX_XML = 500_000;
const MAX_GROUPS = 5_000;
const BEARER = 'urn:oasis:names:tc:SAML:2.0:cm:bearer';
const EMAIL_FORMAT = 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress';
const TRANSIENT = 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient';

/** What assertions may be signed and canonicalised with: no SHA-1, no shared keys, no comments. */
const ALGORITHMS = new Set([
  'http://www.w3.org/2000/09/xmldsig#enveloped-signature',
  'http://www.w3.org/2001/10/xml-exc-c14n#',
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512',
  'http://www.w3.org/2001/04/xmlenc#sha256',
  'http://www.w3.org/2001/04/xmlenc#sha512',
]);

/** The verified assertion, as node-saml reads it. */
const Attributes = z.looseObject({});
const Data = z.looseObject({
  $: z.looseObject({
    Recipient: z.string().optional(),
    InResponseTo: z.string().optional(),
    NotBefore: z.string().optional(),
    NotOnOrAfter: z.string().optional(),
  }),
});
const Confirmation = z.looseObject({
  $: z.looseObject({ Method: z.string() }),
  SubjectConfirmationData: z.array(Data).length(1).optional(),
});
const Assertion = z.object({
  Assertion: z.looseObject({
    $: z.looseObject({ ID: z.string().min(1) }),
    Issuer: z.array(z.looseObject({ _: z.string() })).length(1),
    Subject: z
      .array(
        z.looseObject({
          NameID: z.array(z.looseObject({ _: z.string().min(1).max(1_024), $: Attributes.optional() })).length(1),
          SubjectConfirmation: z.array(Confirmation).min(1),
        }),
      )
      .length(1),
    Conditions: z.array(z.looseObject({ $: z.looseObject({ NotOnOrAfter: z.string() }) })).length(1),
  }),
});

/**
 * Refuses what no provider needs and forgers do: document types and entities, comments that cut names short, weak or
 * unusual algorithms. Whatever the parser would take for one of these stands in the text as it is looked for here.
 */
const checkText = (xml: string): void => {
  if (xml.length > MAX_XML) throw new Error('it is too large');
  if (xml.includes('<!')) throw new Error('it holds a document type, an entity, a comment or character data');
  if (/<\?(?!xml\s)/.test(xml)) throw new Error('it holds a processing instruction');
  for (const [, , algorithm = ''] of xml.matchAll(/Algorithm\s*=\s*(["'])(.*?)\1/gs))
    if (!ALGORITHMS.has(algorithm)) throw new Error(`the algorithm ${algorithm} is not accepted`);
};

const PEM = /-----(BEGIN|END) CERTIFICATE-----/g;

/** Base64 without line ends, however it was given. */
export const bareCertificate = (text: string): string => text.replace(PEM, '').replace(/\s+/g, '');

const read = (certificate: string): X509Certificate =>
  new X509Certificate(Buffer.from(bareCertificate(certificate), 'base64'));

/** What is wrong with a certificate, or undefined. Its dates are not looked at: it stands for its key (SAML metadata interoperability). */
export const certificateFault = (certificate: string): string | undefined => {
  try {
    const { publicKey } = read(certificate);
    if (publicKey.asymmetricKeyType !== 'rsa') return 'the key of a certificate is not RSA.';
    if ((publicKey.asymmetricKeyDetails?.modulusLength ?? 0) < 2048)
      return 'the key of a certificate is shorter than 2048 bits.';
    return undefined;
  } catch {
    return 'one cannot be read: PEM or base64 of X.509 is needed.';
  }
};

const textsOf = (value: unknown): string[] =>
  (Array.isArray(value) ? value : [value])
    .filter((one) => typeof one === 'string')
    .map((one) => one.trim())
    .filter((one) => one !== '');

type Bound = { acs: string; now: number };
type ConfirmationData = z.output<typeof Confirmation>;

/** The bearer confirmation for our address, now (SAML profiles 4.1.4.3). */
const confirmed = (
  confirmations: ConfirmationData[],
  { acs, now }: Bound,
): { inResponseTo?: string | undefined; until: number } => {
  for (const { $, SubjectConfirmationData: [data] = [] } of confirmations) {
    if ($.Method !== BEARER || !data) continue;
    const { Recipient, NotBefore, NotOnOrAfter, InResponseTo } = data.$;
    const until = Date.parse(NotOnOrAfter ?? '');
    if (Recipient !== acs || !(until + SKEW_MS > now)) continue;
    if (NotBefore !== undefined && !(Date.parse(NotBefore) - SKEW_MS <= now)) continue;
    return { inResponseTo: InResponseTo, until };
  }
  throw new Error('its subject is not confirmed for this address and time');
};

/** SAML 2.0, web browser single sign-on: we ask by redirect, the answer is posted, its assertion signed. */
export const createSaml = ({ now }: Options) => {
  const create = ({ settings }: SamlProvider, { entityId, acs }: SamlAddresses, requestId: string) =>
    new SAML({
      issuer: entityId,
      audience: entityId,
      callbackUrl: acs,
      entryPoint: settings.entryPoint,
      idpIssuer: settings.idpIssuer,
      idpCert: settings.certificates.map(bareCertificate),
      identifierFormat: settings.nameIdFormat,
      wantAssertionsSigned: true,
      wantAuthnResponseSigned: false,
      acceptedClockSkewMs: SKEW_MS,
      disableRequestedAuthnContext: true,
      // Bound to our own step, on whichever replica it comes back.
      validateInResponseTo: ValidateInResponseTo.never,
      generateUniqueId: () => requestId,
    });

  const vouchedOf = (
    { settings }: SamlProvider,
    nameId: string,
    format: unknown,
    attributes: Record<string, unknown>,
  ): Vouched => {
    const attribute = (name: string) => textsOf(Object.hasOwn(attributes, name) ? attributes[name] : undefined);
    const email = emailIn(attribute(settings.emailAttribute)[0] ?? (format === EMAIL_FORMAT ? nameId : undefined));
    return {
      subject: nameId,
      email,
      // The company's own provider vouches for the addresses of the domains that it is trusted with.
      isEmailVerified: email !== undefined,
      name: attribute(settings.nameAttribute)[0]?.slice(0, 320),
      username: undefined,
      groups: attribute(settings.groupsAttribute).slice(0, MAX_GROUPS),
    };
  };

  return {
    async begin(provider: SamlProvider, addresses: SamlAddresses, requestId: string): Promise<string> {
      return create(provider, addresses, requestId).getAuthorizeUrlAsync('', undefined, {});
    },

    /** What a posted answer says, once everything about it is proved except that this browser asked for it. */
    async read(provider: SamlProvider, addresses: SamlAddresses, samlResponse: string) {
      try {
        checkText(Buffer.from(samlResponse, 'base64').toString('utf8'));
        const { profile } = await create(provider, addresses, '').validatePostResponseAsync({
          SAMLResponse: samlResponse,
        });
        if (!profile) throw new Error('it holds no assertion');
        const { Assertion: assertion } = Assertion.parse(profile.getAssertion?.());
        const [{ _: issuer } = { _: '' }] = assertion.Issuer;
        if (issuer !== provider.settings.idpIssuer) throw new Error(`its issuer is ${issuer}`);
        const [subject] = assertion.Subject;
        const [nameId] = subject?.NameID ?? [];
        const format = nameId?.$?.Format;
        if (!subject || !nameId || format === TRANSIENT) throw noSubject(provider.name);
        const { inResponseTo, until } = confirmed(subject.SubjectConfirmation, { acs: addresses.acs, now: now() });
        const attributes = (profile.attributes ?? {}) as Record<string, unknown>;
        return {
          assertionId: assertion.$.ID,
          until: until + SKEW_MS,
          inResponseTo,
          vouched: vouchedOf(provider, nameId._, format, attributes),
        };
      } catch (error) {
        if (error instanceof TurnedAway) throw error;
        if (error instanceof SamlStatusError)
          throw saidNo(provider.name, error.message.replace(/^SAML provider returned /, ''), undefined);
        if (error instanceof z.ZodError)
          throw notBelieved(provider.name, 'the assertion lacks what it needs, or has it twice');
        throw notBelieved(provider.name, error instanceof Error ? error.message : String(error));
      }
    },

    /** Our own metadata, for the provider to read. */
    metadata: ({ settings }: SamlProvider, { entityId, acs }: SamlAddresses): string =>
      generateServiceProviderMetadata({
        issuer: entityId,
        callbackUrl: acs,
        identifierFormat: settings.nameIdFormat,
        wantAssertionsSigned: true,
        generateUniqueId: () => '_peta',
      }),

    check({ settings }: SamlProvider): { ok: boolean; message: string }[] {
      const dates = settings.certificates.map((certificate) => {
        const { subject, validTo } = read(certificate);
        const isOver = Date.parse(validTo) < now();
        const name = subject.split('\n').at(-1) ?? subject;
        return isOver
          ? { ok: false, message: `The certificate ${name} ended on ${validTo}: ask the provider for the new one.` }
          : { ok: true, message: `The certificate ${name} is good until ${validTo}.` };
      });
      return [{ ok: true, message: `People are sent to ${settings.entryPoint}.` }, ...dates];
    },
  };
};

export type Saml = ReturnType<typeof createSaml>;
