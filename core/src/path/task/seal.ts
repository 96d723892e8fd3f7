import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { Reply } from '#call';

const CIPHER = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Keeps how a task ended from whoever reads the database alone; what is sealed opens for its own task only. */
export const createEndingSeal = (secret: Buffer) => {
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'peta task ending', 32));

  return {
    seal(handle: string, ending: Reply): string {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv(CIPHER, key, iv);
      cipher.setAAD(Buffer.from(handle));
      const sealed = Buffer.concat([cipher.update(JSON.stringify(ending), 'utf8'), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64');
    },

    /** Throws when it was sealed for another task, or with another key. */
    open(handle: string, text: string): Reply {
      const bytes = Buffer.from(text, 'base64');
      const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, IV_BYTES));
      decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
      decipher.setAAD(Buffer.from(handle));
      const body = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
      // It authenticated, so it is what was sealed here.
      return JSON.parse(body.toString('utf8')) as Reply;
    },
  };
};

export type EndingSeal = ReturnType<typeof createEndingSeal>;
