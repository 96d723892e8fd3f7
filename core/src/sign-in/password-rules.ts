import type { Person } from './people.ts';

const MIN = 12;
const MAX = 256;

/** What people who must use twelve characters use most, without digits and signs at the ends. */
const COMMON = new Set(
  `password passwordpassword passw0rd p@ssword p@ssw0rd mypassword thispassword yourpassword changeme pleasechangeme
   letmein letmeinplease welcome welcomewelcome iloveyou iloveyouforever qwerty qwertyuiop qwertyqwerty qwertyuiopasdf
   qwertyuiopasdfghjkl qwertzuiop azertyuiop asdfghjkl asdfghjklzxcvbnm zxcvbnm qazwsx qazwsxedc qazwsxedcrfv qweasdzxc
   q1w2e3r4t5y6 1q2w3e4r5t6y 1qaz2wsx3edc 1qaz2wsx3edc4rfv 123qweasdzxc administrator admin adminadmin superadmin rootroot
   football baseball basketball princess sunshine monkeymonkey dragondragon superman batman starwars trustno
   correcthorsebatterystaple correct horse battery staple default secret topsecret mysecret test testtest testing
   testtesttest abcdefghijkl abcdefghijklmnop abcabcabcabc abcabc whatever computer internet manchester liverpool
   charlie michael jennifer jordan hunter summer winter spring autumn company business peta petapeta`
    .split(/\s+/)
    .filter(Boolean),
);

const plain = (text: string): string => text.normalize('NFKC').toLowerCase();

/** All one character, or one that steps up or down: 111111111111, abcdefghijkl, 987654321098. */
const isRun = (text: string): boolean => {
  const steps = [...text].slice(1).map((c, i) => (c.codePointAt(0) ?? 0) - (text.codePointAt(i) ?? 0));
  return steps.every((step) => step === steps[0]) || /^(0?1234567890|0?9876543210)+\d*$/.test(text);
};

/** The same few characters over and over. */
const isRepeated = (text: string): boolean => /^(.{1,4})\1{2,}.{0,3}$/u.test(text);

const isCommon = (text: string): boolean => {
  const core = text.replace(/^\P{L}+|\P{L}+$/gu, '');
  return COMMON.has(text) || COMMON.has(core) || COMMON.has(text.replace(/\P{L}+$/u, '')) || /^\d+$/.test(text);
};

/** Why a password is not taken, as a sentence for its person; undefined when it is. */
export const faultOf = (
  password: string,
  { userId, name, email }: Pick<Person, 'userId' | 'name' | 'email'>,
): string | undefined => {
  if ([...password].length < MIN) return `Take a password of at least ${MIN} characters: a few words are good.`;
  if (password.length > MAX) return `Take a password of at most ${MAX} characters.`;
  const text = plain(password);
  if (isRun(text) || isRepeated(text) || isCommon(text))
    return 'That password is among those that are tried first. Take another: a few unrelated words are good.';
  const own = [userId, name, email ?? '', (email ?? '').split('@')[0] ?? '', ...name.split(/\s+/)]
    .map((one) => plain(one).replaceAll(/\s+/g, ''))
    .filter((one) => one.length >= 3);
  const left = own.sort((a, b) => b.length - a.length).reduce((rest, one) => rest.replaceAll(one, ''), text);
  if (left.length !== text.length && left.replaceAll(/\P{L}/gu, '').length < 6)
    return 'That password is little more than your own name or address. Take another.';
  return undefined;
};
