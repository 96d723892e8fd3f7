import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import samlp from 'samlp';
import { generate } from 'selfsigned';

/** Somebody at the identity provider. */
export type SamlPerson = { nameId: string; format?: string; attributes?: Record<string, string | string[]> };

/** What an answer may be made differently with. */
export type AnswerOptions = {
  audience?: string;
  recipient?: string;
  issuer?: string;
  inResponseTo?: string | undefined;
  lifetimeInSeconds?: number;
  signAssertion?: boolean;
  signResponse?: boolean;
  signatureAlgorithm?: string;
  digestAlgorithm?: string;
  key?: string;
  cert?: string;
};

export type Asked = { id: string; issuer: string; acs: string };

const EMAIL = 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress';

const createKeys = async () => {
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'idp.example.com' }], { keySize: 2048 });
  return { key, cert };
};

const profileOf = ({ nameId, format = EMAIL, attributes = {} }: SamlPerson) => ({
  getClaims: () => attributes,
  getNameIdentifier: () => ({ nameIdentifier: nameId, nameIdentifierFormat: format }),
});

/** A company's SAML 2.0 identity provider, where one person is signed in already. */
export const startSamlIdp = async () => {
  const keys = await createKeys();
  const strangers = await createKeys();
  let person: SamlPerson = { nameId: 'ada@example.com' };
  let options: AnswerOptions = {};
  const issuer = 'https://idp.example.com/saml';

  const readRequest = (samlRequest: string): Promise<Asked> =>
    new Promise((done, fail) =>
      samlp.parseRequest({ query: { SAMLRequest: samlRequest } }, {}, (error, request) =>
        error || !request?.id
          ? fail(error ?? new Error('no request'))
          : done({
              id: request.id,
              issuer: request.issuer ?? '',
              acs: request.assertionConsumerServiceURL ?? '',
            }),
      ),
    );

  /** The XML of an answer to a request. */
  const answer = (asked: Asked, who: SamlPerson = person, changes: AnswerOptions = options): Promise<string> =>
    new Promise((done, fail) =>
      samlp.getSamlResponse(
        {
          ...keys,
          issuer,
          audience: asked.issuer,
          recipient: asked.acs,
          destination: asked.acs,
          inResponseTo: asked.id,
          signatureAlgorithm: 'rsa-sha256',
          digestAlgorithm: 'sha256',
          profileMapper: () => profileOf(who),
          ...changes,
        },
        who,
        (error, response) => (error || !response ? fail(error ?? new Error('no response')) : done(response)),
      ),
    );

  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '/', 'http://idp');
    readRequest(searchParams.get('SAMLRequest') ?? '')
      .then(async (asked) => {
        const value = Buffer.from(await answer(asked)).toString('base64');
        response.setHeader('content-type', 'text/html');
        response.end(`<form method="post" action="${asked.acs}"><input name="SAMLResponse" value="${value}"></form>`);
      })
      .catch((error: Error) => {
        response.statusCode = 500;
        response.end(error.message);
      });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const entryPoint = `http://127.0.0.1:${port}/sso`;
  const certificate = keys.cert.replace(/-----[A-Z ]+-----|\s/g, '');

  return {
    issuer,
    entryPoint,
    cert: keys.cert,
    key: keys.key,
    /** Keys of somebody else. */
    strangers,
    metadata: `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="${issuer}"><IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>${certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></KeyDescriptor><SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="${entryPoint}"/></IDPSSODescriptor></EntityDescriptor>`,
    readRequest,
    answer,
    /** Who is signed in there from now on, and how answers are made. */
    signIn(who: SamlPerson, changes: AnswerOptions = {}): void {
      person = who;
      options = changes;
    },
    close: () => new Promise((done) => server.close(done)),
  };
};

export type SamlIdp = Awaited<ReturnType<typeof startSamlIdp>>;
