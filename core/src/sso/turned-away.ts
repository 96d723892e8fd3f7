/** Why somebody is not signed in: a sentence for them, one on what to do, and a stable word for the log. */
export class TurnedAway extends Error {
  override readonly name = 'TurnedAway';
  readonly code: string;
  readonly advice: string;
  /** What the log says more than the page: never a secret. */
  readonly remark: string | undefined;
  /** Whom it is about, where that is known. */
  readonly userId: string | undefined;
  constructor(code: string, message: string, advice: string, more: { remark?: string; userId?: string } = {}) {
    super(message);
    this.code = code;
    this.advice = advice;
    this.remark = more.remark;
    this.userId = more.userId;
  }
}

const AGAIN = 'Start again from the sign-in page.';
const ASK = 'Ask an administrator of Peta.';

/** What a provider or a library said, short enough for a page and without characters that could act there. */
const quoted = (text: string): string => text.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ').slice(0, 300);

export const noProvider = () =>
  new TurnedAway(
    'no-provider',
    'There is no such place to sign in.',
    'The address may be mistyped, or the provider was switched off. Go to the sign-in page to see what there is.',
  );
export const switchedOff = () =>
  new TurnedAway('switched-off', 'This way to sign in was switched off or changed meanwhile.', AGAIN);
export const notBegun = () =>
  new TurnedAway(
    'not-begun',
    'This sign-in was not begun in this browser, was used already, or took longer than ten minutes.',
    `${AGAIN} Cookies must be allowed for this site.`,
  );
export const tooMany = () =>
  new TurnedAway('too-many', 'Too many sign-ins come from your network.', 'Wait a minute, then start again.');
export const unreachable = (name: string, remark: string) =>
  new TurnedAway(
    'provider-unreachable',
    `${name} does not answer as it should right now.`,
    'Try again in a moment. If it goes on, an administrator can look with "peta sso test".',
    { remark },
  );
export const saidNo = (name: string, error: string, description: string | undefined) =>
  new TurnedAway(
    'provider-refused',
    `${name} did not sign you in: ${quoted(description ? `${error}, ${description}` : error)}`,
    `${AGAIN} If it goes on, ask whoever administers ${name}.`,
    { remark: quoted(error) },
  );
/** What nobody signed may be anybody's: of it, people are shown no word. */
export const saidNoUnsigned = (name: string, remark: string) =>
  new TurnedAway(
    'provider-refused',
    `${name} did not sign you in.`,
    `${AGAIN} If it goes on, ask whoever administers ${name}; the audit log of Peta says what it said.`,
    { remark: quoted(remark) },
  );
export const notBelieved = (name: string, remark: string) =>
  new TurnedAway(
    'not-believed',
    `What ${name} sent does not hold: it is not from there, not for us, too old, or was used already.`,
    `${AGAIN} If it goes on, ask an administrator of Peta; the audit log says what is wrong.`,
    { remark: quoted(remark) },
  );
export const noSubject = (name: string) =>
  new TurnedAway('no-subject', `${name} does not say in a lasting way who you are.`, ASK);
export const noEmail = () =>
  new TurnedAway(
    'no-verified-email',
    'The provider does not vouch for an e-mail address of yours.',
    'Confirm your e-mail address there and start again, or ask an administrator of Peta.',
  );
export const foreignDomain = () =>
  new TurnedAway('foreign-domain', 'Your e-mail address is of no domain that may sign in here.', ASK);
export const notMapped = (userId?: string) =>
  new TurnedAway(
    'not-mapped',
    'You are in no group that may use this Peta.',
    'Ask whoever administers your groups, or an administrator of Peta, for access.',
    userId === undefined ? {} : { userId },
  );
export const noAccount = () =>
  new TurnedAway('no-account', 'There is no account for you here.', 'Ask an administrator of Peta to make one.');
export const emailTaken = () =>
  new TurnedAway(
    'email-taken',
    'Your e-mail address belongs to an account here that this provider may not sign in.',
    'Sign in to that account in another way, or ask an administrator of Peta.',
  );
export const disabled = (userId: string) =>
  new TurnedAway('disabled', 'Your account here is switched off or has ended.', ASK, { userId });
