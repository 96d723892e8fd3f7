import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type SamlIdp, startSamlIdp } from '../../../../e2e/harness/saml-idp.ts';
import { certificateFault } from '../certificate.ts';
import { readMetadata } from './saml-metadata.ts';

let idp: SamlIdp;

beforeAll(async () => {
  idp = await startSamlIdp();
});
afterAll(() => idp.close());

describe('the metadata of a provider', () => {
  test('says what is needed', async () => {
    expect(await readMetadata(`<?xml version="1.0"?><!-- of the company -->${idp.metadata}`)).toEqual({
      entryPoint: idp.entryPoint,
      idpIssuer: idp.issuer,
      certificates: [idp.cert.replace(/-----[A-Z ]+-----|\s/g, '')],
    });
  });

  test.each([
    ['nothing', 'is no XML'],
    ['<a/>', 'not the metadata of one SAML'],
    ['<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', 'document type'],
  ])('%j is refused with a sentence', async (xml, sentence) => {
    await expect(readMetadata(xml)).rejects.toThrow(sentence);
  });

  test('of a provider that takes no redirects is refused with a sentence', async () => {
    await expect(readMetadata(idp.metadata.replace('HTTP-Redirect', 'HTTP-POST'))).rejects.toThrow('HTTP-Redirect');
  });
});

test('a certificate is PEM or base64 of a key that is long enough', async () => {
  expect(certificateFault(idp.cert)).toBeUndefined();
  expect(certificateFault(idp.cert.replace(/-----[A-Z ]+-----|\s/g, ''))).toBeUndefined();
  expect(certificateFault('MIIB')).toContain('cannot be read');
});
