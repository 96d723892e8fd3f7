import { z } from 'zod';

/** By how much clocks may differ. */
export const SKEW_MS = 60_000;
const MAX_XML = 500_000;
const BEARER = 'urn:oasis:names:tc:SAML:2.0:cm:bearer';

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
export const Assertion = z.object({
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
export const checkText = (xml: string): void => {
  if (xml.length > MAX_XML) throw new Error('it is too large');
  if (xml.includes('<!')) throw new Error('it holds a document type, an entity, a comment or character data');
  if (/<\?(?!xml\s)/.test(xml)) throw new Error('it holds a processing instruction');
  for (const [, , algorithm = ''] of xml.matchAll(/Algorithm\s*=\s*(["'])(.*?)\1/gs))
    if (!ALGORITHMS.has(algorithm)) throw new Error(`the algorithm ${algorithm} is not accepted`);
};

type Bound = { acs: string; now: number };
type ConfirmationData = z.output<typeof Confirmation>;

/** The bearer confirmation for our address, now (SAML profiles 4.1.4.3). */
export const confirmed = (
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
