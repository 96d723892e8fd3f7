import { generateServiceProviderMetadata, SAML, SamlStatusError, ValidateInResponseTo } from '@node-saml/node-saml';
import { z } from 'zod';
import { bareCertificate, readCertificate } from '../certificate.ts';
import { emailIn } from '../mapping.ts';
import type { SamlProvider, Vouched } from '../provider.ts';
import { Assertion, checkText, confirmed, SKEW_MS } from '../saml-assertion.ts';
import { noSubject, notBelieved, saidNoUnsigned, TurnedAway } from '../turned-away.ts';

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

const MAX_GROUPS = 5_000;
const EMAIL_FORMAT = 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress';
const TRANSIENT = 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient';

const textsOf = (value: unknown): string[] =>
  (Array.isArray(value) ? value : [value])
    .filter((one) => typeof one === 'string')
    .map((one) => one.trim())
    .filter((one) => one !== '');

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
        if (error instanceof SamlStatusError) throw saidNoUnsigned(provider.name, error.message);
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
        const { subject, validTo } = readCertificate(certificate);
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
