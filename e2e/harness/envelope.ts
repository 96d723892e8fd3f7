import { createCipheriv, pbkdf2Sync, randomBytes } from 'node:crypto';

/** The published client-side envelope, made as a Console of old makes it. */
export const makeEnvelope = async (plaintext: string, token: string): Promise<string> => {
  const salt = randomBytes(16);
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', pbkdf2Sync(token, salt, 100_000, 32, 'sha256'), iv);
  const data = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
  const [d, i, s, t] = [data, iv, salt, cipher.getAuthTag()].map((part) => part.toString('base64'));
  return JSON.stringify({ data: d, iv: i, salt: s, tag: t });
};
