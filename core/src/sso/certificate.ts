import { X509Certificate } from 'node:crypto';

const PEM = /-----(BEGIN|END) CERTIFICATE-----/g;

/** Base64 without line ends, however it was given. */
export const bareCertificate = (text: string): string => text.replace(PEM, '').replace(/\s+/g, '');

/** Throws for what is none. */
export const readCertificate = (certificate: string): X509Certificate =>
  new X509Certificate(Buffer.from(bareCertificate(certificate), 'base64'));

/** What is wrong with a certificate, or undefined. Its dates are not looked at: it stands for its key (SAML metadata interoperability). */
export const certificateFault = (certificate: string): string | undefined => {
  try {
    const { publicKey } = readCertificate(certificate);
    if (publicKey.asymmetricKeyType !== 'rsa') return 'the key of a certificate is not RSA.';
    if ((publicKey.asymmetricKeyDetails?.modulusLength ?? 0) < 2048)
      return 'the key of a certificate is shorter than 2048 bits.';
    return undefined;
  } catch {
    return 'one cannot be read: PEM or base64 of X.509 is needed.';
  }
};
