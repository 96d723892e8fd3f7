import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** Where a sealed value belongs. Moved anywhere else, it does not open. */
export type Binding = { workspaceId: string; table: string; row: string; column: string };

/** A sealed value that does not open: another key, another place, or changed bytes. */
export class SealBroken extends Error {
  override readonly name = 'SealBroken';
}

const NONCE = 12;
const TAG = 16;
const VERSION = 'v1.';

const aad = ({ workspaceId, table, row, column }: Binding): Buffer =>
  Buffer.from(JSON.stringify([VERSION, workspaceId, table, row, column]));

/** AES-256-GCM under `masterKey` (32 bytes), a fresh 96-bit nonce for each value, bound to its place. */
export const createSealer = (masterKey: Buffer) => ({
  seal(plaintext: string, binding: Binding): string {
    const nonce = randomBytes(NONCE);
    const cipher = createCipheriv('aes-256-gcm', masterKey, nonce).setAAD(aad(binding));
    const sealed = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
    return VERSION + Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64');
  },

  /** Throws `SealBroken`, which tells nothing of the content. */
  open(text: string, binding: Binding): string {
    try {
      if (!text.startsWith(VERSION)) throw new Error('unknown version');
      const bytes = Buffer.from(text.slice(VERSION.length), 'base64');
      const decipher = createDecipheriv('aes-256-gcm', masterKey, bytes.subarray(0, NONCE), { authTagLength: TAG });
      decipher.setAAD(aad(binding)).setAuthTag(bytes.subarray(NONCE, NONCE + TAG));
      return decipher.update(bytes.subarray(NONCE + TAG), undefined, 'utf8') + decipher.final('utf8');
    } catch {
      throw new SealBroken(
        `A secret of ${binding.table} ${binding.row} cannot be opened: the master key is not the one it was sealed with, or it was changed or moved.`,
      );
    }
  },
});
