import { createHash, randomBytes } from 'node:crypto';

/** SHA-256 of a secret, hex: what is kept of it. */
export const hashToken = (secret: string): string => createHash('sha256').update(secret).digest('hex');

/** A secret of 256 random bits with a prefix that scanners recognise. Only its hash and mask are to be kept. */
export const newSecret = (prefix: string): { secret: string; hash: string; mask: string } => {
  const secret = `${prefix}${randomBytes(32).toString('base64url')}`;
  return { secret, hash: hashToken(secret), mask: `${secret.slice(0, prefix.length + 4)}…` };
};

/** A new service token. */
export const newToken = () => newSecret('peta_');
