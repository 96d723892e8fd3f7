import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { PersonKey } from './people.ts';

/** Marks that tell a browser in which a person has signed in before. They let nobody in; they keep strangers' failures apart. */
export const createKnownBrowsers = (key: Buffer) => {
  const hmac = (purpose: string, { workspaceId, userId }: PersonKey, id: string) =>
    createHmac('sha256', key)
      .update(JSON.stringify([purpose, workspaceId, userId, id]))
      .digest('base64url');

  return {
    /** A browser holds one mark for each of its people. */
    cookieName: (person: PersonKey): string => `peta_known_${hmac('name', person, '').slice(0, 8)}`,

    newMark(person: PersonKey): string {
      const id = randomBytes(12).toString('base64url');
      return `${id}.${hmac('mark', person, id)}`;
    },

    /** The browser's own id with this person, when the mark is theirs. */
    idOf(mark: string | undefined, person: PersonKey): string | undefined {
      const [id = '', proof = ''] = mark?.split('.') ?? [];
      const expected = Buffer.from(hmac('mark', person, id));
      const given = Buffer.from(proof);
      return given.length === expected.length && timingSafeEqual(given, expected) ? id : undefined;
    },
  };
};

export type KnownBrowsers = ReturnType<typeof createKnownBrowsers>;
