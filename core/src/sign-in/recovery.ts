import { randomInt } from 'node:crypto';
import { hashToken } from '#lib/token';

const ALPHABET = 'abcdefghjkmnpqrstvwxyz23456789';
const GROUPS = 4;
const GROUP = 4;
const COUNT = 10;

/** Ten codes of 78 random bits, as they are shown once, for whoever has lost their authenticator app. */
export const newRecoveryCodes = (): string[] =>
  Array.from({ length: COUNT }, () =>
    Array.from({ length: GROUPS }, () =>
      Array.from({ length: GROUP }, () => ALPHABET[randomInt(ALPHABET.length)]).join(''),
    ).join('-'),
  );

/** What is kept of a code; dashes, spaces and case do not matter. */
export const hashOfRecoveryCode = (code: string): string =>
  hashToken(`recovery ${code.toLowerCase().replace(/[^a-z0-9]/g, '')}`);
