import { type Html, html, type Page } from '#page';
import type { Authenticator } from '../authenticators.ts';
import type { Passkey } from '../passkeys.ts';
import type { Person } from '../people.ts';
import type { SignInRecord } from '../sign-ins.ts';
import { errorSummary, hidden, PASSKEY_SCRIPT, passkeyButton } from './page-parts.ts';
import type { Program } from './parts.ts';

/** What was done, by the word that stands in the address after it. */
const DONE: Readonly<Record<string, string>> = {
  password: 'Your password was changed. Every other browser of yours was signed out.',
  'authenticator-removed': 'The authenticator app was removed. Your password is enough again.',
  passkey: 'The passkey was added.',
  'passkey-renamed': 'The passkey was renamed.',
  'passkey-removed': 'The passkey was removed.',
  'signed-out': 'That browser was signed out.',
  'program-ended': 'That program may not act for you any more.',
  welcome: 'You are in. A passkey below makes the next time easier.',
};

const METHODS: Readonly<Record<string, string>> = {
  password: 'password',
  totp: 'authenticator app',
  recovery: 'recovery code',
  passkey: 'passkey',
  oidc: 'single sign-on',
  saml: 'single sign-on',
  setup: 'set-up link',
  invite: 'sign-up link',
};

const BROWSERS = [/(Edg)e?\//, /(Firefox)\//, /(Chrom)(?:e|ium)\//, /(Safari)\//, /(curl)\//] as const;
const BROWSER_NAMES: Readonly<Record<string, string>> = { Edg: 'Edge', Chrom: 'Chrome' };
const SYSTEMS = [/(Windows)/, /(Android)/, /(iPhone|iPad)/, /(Mac) OS X/, /(Linux)/] as const;

/** What a browser says of itself, in three words. */
const describeAgent = (agent: string): string => {
  const first = (patterns: readonly RegExp[]) => patterns.map((one) => one.exec(agent)?.[1]).find(Boolean);
  const browser = first(BROWSERS);
  const system = first(SYSTEMS);
  if (!browser) return 'A browser';
  return `${BROWSER_NAMES[browser] ?? browser}${system ? ` on ${system}` : ''}`;
};

const timeOf = (date: Date): Html =>
  html`<time datetime="${date.toISOString()}">${date.toISOString().slice(0, 16).replace('T', ' ')} UTC</time>`;

export type Account = {
  person: Person;
  signInId: string;
  formToken: string;
  authenticator: Authenticator | undefined;
  passkeys: readonly Passkey[];
  signIns: readonly SignInRecord[];
  programs: readonly Program[];
  done: string;
  error: string | undefined;
};

const act = (
  token: string,
  action: string,
  label: string,
  fields: Record<string, string> = {},
  kind = 'quiet small',
): Html =>
  html`<form method="post" action="${action}">${hidden({ token, ...fields })}<button class="${kind}" type="submit">${label}</button></form>`;

const passwordPart = ({ person, formToken }: Account): Html => html`<h2 id="password-part">Password</h2>
<p>${person.passwordHash === null ? 'You have none.' : 'You have one.'} At least twelve characters; a few unrelated words are good.</p>
<form method="post" action="/account/password">
${hidden({ token: formToken })}
<input class="unseen" name="username" value="${person.userId}" autocomplete="username" tabindex="-1" aria-hidden="true" readonly>
<label for="new-password">New password</label>
<input id="new-password" name="password" type="password" autocomplete="new-password" minlength="12" maxlength="256" required>
<label for="again">The same again</label>
<input id="again" name="again" type="password" autocomplete="new-password" minlength="12" maxlength="256" required>
<button type="submit">${person.passwordHash === null ? 'Set the password' : 'Change the password'}</button>
</form>`;

const authenticatorPart = ({ authenticator, formToken }: Account): Html => {
  if (!authenticator?.isConfirmed)
    return html`<h2>Authenticator app</h2>
<p>A second step after your password: six digits that an app on your phone shows.</p>
${act(formToken, '/account/authenticator', authenticator ? 'Go on setting it up' : 'Set up an app')}`;
  const left = authenticator.recoveryLeft;
  return html`<h2>Authenticator app</h2>
<p>In use. ${left === 1 ? 'One recovery code is left.' : `${left} recovery codes are left.`}</p>
<div class="row">${act(formToken, '/account/recovery-codes', 'New recovery codes')}${act(formToken, '/account/authenticator/remove', 'Remove the app')}</div>`;
};

const passkeyItem = ({ formToken }: Account, { id, name, createdAt, lastUsedAt }: Passkey): Html => html`<li>
<div><strong>${name}</strong><br><span class="soft">added ${timeOf(createdAt)}, ${lastUsedAt ? html`used ${timeOf(lastUsedAt)}` : 'not used yet'}</span></div>
<div class="row">
<details><summary>Rename<span class="unseen"> ${name}</span></summary>
<form method="post" action="/account/passkeys/rename">${hidden({ token: formToken, id })}
<label for="rename-${id}">Name</label><input id="rename-${id}" name="name" value="${name}" maxlength="60" required>
<button class="quiet small" type="submit">Rename</button></form></details>
<form method="post" action="/account/passkeys/remove">${hidden({ token: formToken, id })}<button class="quiet small" type="submit">Remove<span class="unseen"> ${name}</span></button></form>
</div></li>`;

const passkeyPart = (account: Account): Html => html`<h2>Passkeys</h2>
<p>Sign in with your fingerprint, face or device lock, without typing anything.</p>
${account.passkeys.length > 0 && html`<ul class="list">${account.passkeys.map((one) => passkeyItem(account, one))}</ul>`}
<div>
<label for="passkey-name">Name of a new one</label>
<input id="passkey-name" maxlength="60" placeholder="This laptop">
${passkeyButton('Add a passkey', { way: 'create', options: '/account/passkeys/options', finish: '/account/passkeys', 'name-field': 'passkey-name' })}
<noscript><p>Adding a passkey needs JavaScript.</p></noscript>
</div>`;

const signInItem = ({ formToken, signInId }: Account, record: SignInRecord): Html => {
  const label = describeAgent(record.userAgent);
  return html`<li>
<div><strong>${label}</strong>${record.signInId === signInId && html` <span class="good">this one</span>`}<br>
<span class="soft">${record.methods.map((one) => METHODS[one] ?? one).join(' and ')} from ${record.address}, ${timeOf(record.at)}; last seen ${timeOf(record.lastSeenAt)}</span></div>
<form method="post" action="/account/sign-ins/end">${hidden({ token: formToken, id: record.signInId })}<button class="quiet small" type="submit">Sign out<span class="unseen"> ${label}</span></button></form></li>`;
};

/** The last part of a scope says what it opens. */
const opens = (scopes: readonly string[]): string =>
  scopes.flatMap((scope) => (scope.startsWith('mcp:') ? [scope.slice('mcp:'.length)] : [])).join(', ') || 'nothing yet';

const programsPart = ({ programs, formToken }: Account): Html => html`<h2>Programs that you allowed</h2>
${
  programs.length === 0
    ? html`<p>None yet. A program that connects to Peta asks you first.</p>`
    : html`<ul class="list">${programs.map(
        ({ id, name, scopes, at }) => html`<li>
<div><strong>${name}</strong><br><span class="soft">${opens(scopes)}; allowed ${timeOf(at)}</span></div>
<form method="post" action="/account/programs/end">${hidden({ token: formToken, id })}<button class="quiet small" type="submit">Take back<span class="unseen"> from ${name}</span></button></form></li>`,
      )}</ul>`
}`;

/** One's own account: how to sign in, and where one is signed in. */
export const accountPage = (account: Account): Page => {
  const { person, done, error, formToken, signIns } = account;
  const message = Object.hasOwn(DONE, done) ? DONE[done] : undefined;
  return {
    title: 'Your account',
    script: PASSKEY_SCRIPT,
    body: html`<h1>Your account</h1>
<p>${person.name} <span class="soft">(${person.userId}${person.email !== null && html`, ${person.email}`})</span></p>
${errorSummary(error)}
${error === undefined && message !== undefined && html`<p class="good" role="status">${message}</p>`}
${passkeyPart(account)}
${passwordPart(account)}
${authenticatorPart(account)}
${programsPart(account)}
<h2>Where you are signed in</h2>
<ul class="list">${signIns.map((record) => signInItem(account, record))}</ul>
<div class="row">${act(formToken, '/sign-out', 'Sign out', {}, '')}${act(formToken, '/account/sign-ins/end-all', 'Sign out everywhere', {}, 'quiet')}</div>`,
  };
};

/** The app's secret as a picture, and a first code to show that it was taken. */
export const authenticatorPage = (
  formToken: string,
  { secret, picture, uri }: { secret: string; picture: string; uri: string },
  error: string | undefined,
): Page => ({
  title: 'Set up an authenticator app',
  body: html`<h1>Set up an authenticator app</h1>
<p>Scan this with the app, or <a href="${uri}">open it in an app on this device</a>.</p>
${errorSummary(error)}
<div class="qr" role="img" aria-label="QR code with the key that is written below">${{ html: picture }}</div>
<p>The key, to type it in by hand:</p>
<pre>${secret.match(/.{1,4}/g)?.join(' ') ?? ''}</pre>
<form method="post" action="/account/authenticator/confirm">
${hidden({ token: formToken })}
<label for="code">The six digits that it shows now</label>
<input id="code" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="10" required ${error === undefined && html`autofocus`} ${error !== undefined && html`aria-describedby="errors"`}>
<div class="row"><button type="submit">Use this app</button><a class="button quiet" href="/account">Not now</a></div>
</form>`,
});

export const recoveryPage = (codes: readonly string[]): Page => ({
  title: 'Your recovery codes',
  body: html`<h1 tabindex="-1" autofocus>Your recovery codes</h1>
<p>Each works once in place of a code from the app, should you lose it. They are shown this once: print them or keep them in a password manager. Earlier ones have ended.</p>
<pre>${codes.join('\n')}</pre>
<p><a class="button" href="/account">I have kept them</a></p>`,
});
