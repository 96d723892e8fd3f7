import { Secret, TOTP } from 'otpauth';
import { renderSVG } from 'uqr';
import type { Totp } from '../authenticators.ts';

const PERIOD_S = 30;
const SECRET_BYTES = 20;

const totpOf = (secret: string, label = '', issuer = 'Peta') =>
  new TOTP({ issuer, label, secret: Secret.fromBase32(secret), algorithm: 'SHA1', digits: 6, period: PERIOD_S });

/** RFC 6238 as every app has it: SHA-1, six digits, thirty seconds. */
export const totp: Totp = {
  newSecret: () => new Secret({ size: SECRET_BYTES }).base32,
  uriOf: (secret, { userId }, host) => totpOf(secret, userId, `Peta (${host.replaceAll(':', ' ')})`).toString(),
  pictureOf: (uri) => renderSVG(uri, { ecc: 'M', border: 2, pixelSize: 5 }),
  stepOf(secret, code, now) {
    const timestamp = now.getTime();
    const delta = totpOf(secret).validate({ token: code, timestamp, window: 1 });
    return delta === null ? undefined : Math.floor(timestamp / 1000 / PERIOD_S) + delta;
  },
};
