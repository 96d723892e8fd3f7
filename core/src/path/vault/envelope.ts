import { createCipheriv, createDecipheriv, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { z } from 'zod';

const derive = promisify(pbkdf2);
const ROUNDS = 100_000;
const IV = 12;
const TAG = 16;
const MIN_SALT = 16;

const bytes = (check: (length: number) => boolean) =>
  z
    .base64()
    .transform((text) => Buffer.from(text, 'base64'))
    .refine(({ length }) => check(length), 'has the wrong length');

const Envelope = z.object({
  data: bytes(() => true),
  iv: bytes((length) => length === IV),
  salt: bytes((length) => length >= MIN_SALT && length <= 1024),
  tag: bytes((length) => length === TAG),
});

/** An envelope that is malformed or was not made with this token. */
export class EnvelopeBroken extends Error {
  override readonly name = 'EnvelopeBroken';
}

const keyFor = (token: string, salt: Buffer): Promise<Buffer> => derive(token, salt, ROUNDS, 32, 'sha256');

/**
 * Opens the published client-side envelope: a JSON string of `{data, iv, salt, tag}` in Base64, AES-256-GCM under a key
 * that PBKDF2-HMAC-SHA-256 makes of the caller's bearer token. Throws `EnvelopeBroken`.
 */
export const openEnvelope = async (text: string, token: string): Promise<string> => {
  try {
    const { data, iv, salt, tag } = Envelope.parse(JSON.parse(text));
    const key = await keyFor(token, salt);
    const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG }).setAuthTag(tag);
    key.fill(0);
    return decipher.update(data, undefined, 'utf8') + decipher.final('utf8');
  } catch {
    throw new EnvelopeBroken(
      'The envelope cannot be opened: it must be a JSON string of {data, iv, salt, tag} made with the token that sends it.',
    );
  }
};

/** Makes an envelope that `openEnvelope` opens with the same token. */
export const makeEnvelope = async (plaintext: string, token: string): Promise<string> => {
  const salt = randomBytes(MIN_SALT);
  const iv = randomBytes(IV);
  const cipher = createCipheriv('aes-256-gcm', await keyFor(token, salt), iv);
  const data = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
  const base64 = (buffer: Buffer) => buffer.toString('base64');
  return JSON.stringify({ data: base64(data), iv: base64(iv), salt: base64(salt), tag: base64(cipher.getAuthTag()) });
};
