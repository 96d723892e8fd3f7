import { html, type Page } from '#page';
import { errorSummary, hidden, PASSKEY_SCRIPT, passkeyButton } from './page-parts.ts';

/** Where people of a workspace may sign in instead. */
export type Provider = { id: string; name: string };

type Asked = {
  workspace: string;
  next: string;
  /** What stands in the name field. */
  name: string;
  /** Somebody is signed in and has to prove it anew. */
  isAgain: boolean;
  providers: readonly Provider[];
  error: string | undefined;
};

export const signInPage = ({ workspace, next, name, isAgain, providers, error }: Asked): Page => ({
  title: 'Sign in',
  script: PASSKEY_SCRIPT,
  body: html`<h1>${isAgain ? 'Confirm that it is you' : 'Sign in'}</h1>
<p>${
    isAgain
      ? 'Changing how you sign in needs you to have signed in within the last ten minutes.'
      : workspace === 'default'
        ? 'To Peta, with the account you have here.'
        : `To the workspace ${workspace}, with the account you have there.`
  }</p>
${errorSummary(error)}
<form method="post" action="/sign-in">
${hidden({ workspace, next })}
<label for="name">Id or e-mail address</label>
<input id="name" name="name" value="${name}" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="320" required ${error === undefined && name === '' && html`autofocus`} ${error !== undefined && html`aria-describedby="errors"`}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" maxlength="1000" required ${error === undefined && name !== '' && html`autofocus`} ${error !== undefined && html`aria-describedby="errors"`}>
<div class="stack"><button type="submit">Sign in</button></div>
</form>
<div>${passkeyButton('Use a passkey', { way: 'get', options: '/sign-in/passkey/options', finish: '/sign-in/passkey', next }, 'quiet')}</div>
${
  providers.length > 0 &&
  html`<div class="stack">${providers.map(
    ({ id, name: label }) =>
      html`<a class="button quiet" href="/sign-in/sso/${encodeURIComponent(workspace)}/${encodeURIComponent(id)}?next=${encodeURIComponent(next)}">Sign in with ${label}</a>`,
  )}</div>`
}
${
  !isAgain &&
  html`<details><summary>Another workspace</summary>
<form method="get" action="/sign-in">
${hidden({ next })}
<label for="workspace">Its id, as its administrators call it</label>
<input id="workspace" name="workspace" autocapitalize="none" spellcheck="false" maxlength="64" pattern="[A-Za-z0-9][A-Za-z0-9._\\-]*" title="Letters, digits, dots, underscores and hyphens" required>
<div class="stack"><button class="quiet" type="submit">Sign in there</button></div>
</form></details>`
}
<h2>No way in?</h2>
<p>Ask an administrator for a sign-up link. The owner gets one on the machine that runs Peta, with <code>npm run peta -- setup-link</code>.</p>`,
});

export const codePage = (error: string | undefined): Page => ({
  title: 'Enter a code',
  script: PASSKEY_SCRIPT,
  body: html`<h1>Enter a code</h1>
<p>Your password is right. Now the six digits that your authenticator app shows, or one of your recovery codes.</p>
${errorSummary(error)}
<form method="post" action="/sign-in/code">
<label for="code">Code</label>
<input id="code" name="code" autocomplete="one-time-code" autocapitalize="none" spellcheck="false" maxlength="40" required ${error === undefined && html`autofocus`} ${error !== undefined && html`aria-describedby="errors"`}>
<div class="stack"><button type="submit">Continue</button></div>
</form>
<h2>Neither app nor codes?</h2>
<p>A sign-up link lets you in: ask an administrator. The owner gets one on the machine that runs Peta, with <code>npm run peta -- users invite &lt;id&gt;</code>.</p>
<p><a href="/sign-in">Start again</a></p>`,
});
