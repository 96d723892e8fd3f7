import { parseXml2JsFromString } from '@node-saml/node-saml/lib/xml.js';
import { z } from 'zod';
import { bareCertificate } from '../certificate.ts';

const REDIRECT = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect';
const MAX_XML = 1_000_000;

const Text = z.looseObject({ _: z.string() });
const Key = z.looseObject({
  $: z.looseObject({ use: z.string().optional() }).optional(),
  KeyInfo: z.array(
    z.looseObject({ X509Data: z.array(z.looseObject({ X509Certificate: z.array(Text).optional() })).optional() }),
  ),
});
const Service = z.looseObject({ $: z.looseObject({ Binding: z.string(), Location: z.string() }) });
const Entity = z.object({
  EntityDescriptor: z.looseObject({
    $: z.looseObject({ entityID: z.string() }),
    IDPSSODescriptor: z
      .array(z.looseObject({ KeyDescriptor: z.array(Key), SingleSignOnService: z.array(Service) }))
      .length(1),
  }),
});

/** What the metadata of an identity provider says. Throws a sentence for what is not that of exactly one. */
export const readMetadata = async (
  xml: string,
): Promise<{ entryPoint: string; idpIssuer: string; certificates: string[] }> => {
  if (xml.length > MAX_XML) throw new Error('is too large.');
  if (/<!(?!--)/.test(xml)) throw new Error('holds a document type or entities, which metadata needs not.');
  const document: unknown = await parseXml2JsFromString(xml).catch(() => {
    throw new Error('is no XML.');
  });
  const parsed = Entity.safeParse(document);
  if (!parsed.success) throw new Error('is not the metadata of one SAML 2.0 identity provider.');
  const { $, IDPSSODescriptor } = parsed.data.EntityDescriptor;
  const [descriptor] = IDPSSODescriptor;
  const service = descriptor?.SingleSignOnService.find((one) => one.$.Binding === REDIRECT);
  if (!descriptor || !service) throw new Error('names no single sign-on address of the binding HTTP-Redirect.');
  const certificates = descriptor.KeyDescriptor.filter((key) => key.$?.use !== 'encryption')
    .flatMap(({ KeyInfo }) => KeyInfo.flatMap(({ X509Data = [] }) => X509Data))
    .flatMap(({ X509Certificate = [] }) => X509Certificate.map(({ _ }) => bareCertificate(_)));
  if (certificates.length === 0) throw new Error('holds no certificate to check signatures with.');
  return { entryPoint: service.$.Location, idpIssuer: $.entityID, certificates: [...new Set(certificates)] };
};
