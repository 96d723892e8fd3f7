import type { Client, KoaContextWithOIDC } from 'oidc-provider';
import { type Html, html, type Page, pageOf } from '#page';

/** Puts a page in Peta's look where the authorization server asks for one. */
export const showPage = (ctx: KoaContextWithOIDC, page: Page): void => {
  const { headers, body } = pageOf(page);
  ctx.set(headers);
  ctx.body = body;
};

type Problem = { userCode?: unknown; name?: string } | undefined;

const problemOf = (error: Problem): Html | undefined => {
  if (!error) return undefined;
  if (error.name === 'AbortedError') return html`<p class="bad">It was denied. The device gets no access.</p>`;
  return html`<p class="bad">This code is not known, was used already, or is too old. Look at the device again.</p>`;
};

/** The pages of RFC 8628, 3.3: enter the code, compare it, done. */
export const createDevicePages = (basePath: string) => {
  const action = `${basePath}/oauth/device`;
  const secretOf = (ctx: KoaContextWithOIDC): string => String(ctx.oidc.session?.state?.secret ?? '');

  return {
    deviceInfo: (ctx: KoaContextWithOIDC) => ({ ip: ctx.ip, ua: ctx.get('user-agent').slice(0, 300) }),

    async userCodeInputSource(ctx: KoaContextWithOIDC, _form: string, _out?: unknown, error?: Problem): Promise<void> {
      showPage(ctx, {
        title: 'Connect a device',
        body: html`
<h1>Connect a device</h1>
${problemOf(error)}
<p>Enter the code that the device or program shows.</p>
<form method="post" action="${action}">
<input type="hidden" name="xsrf" value="${secretOf(ctx)}">
<label>Code <input name="user_code" autocomplete="off" autocapitalize="characters" spellcheck="false" required autofocus></label>
<p><button>Continue</button></p>
</form>`,
      });
    },

    async userCodeConfirmSource(
      ctx: KoaContextWithOIDC,
      _form: string,
      client: Client,
      _device: unknown,
      userCode: string,
    ): Promise<void> {
      showPage(ctx, {
        title: 'Connect a device',
        body: html`
<h1>Is this the code that you see?</h1>
<p><code>${userCode}</code></p>
<p>It was given to <strong>${client.clientName ?? client.clientId}</strong>. Go on only if you started this yourself, on a
device that is in front of you. Nobody from Peta will ever send you a code.</p>
<form method="post" action="${action}">
<input type="hidden" name="xsrf" value="${secretOf(ctx)}">
<input type="hidden" name="user_code" value="${userCode}">
<p><button name="confirm" value="yes">Yes, continue</button>
<button class="quiet" name="abort" value="yes">No, deny</button></p>
</form>`,
      });
    },

    async successSource(ctx: KoaContextWithOIDC): Promise<void> {
      showPage(ctx, {
        title: 'Connected',
        body: html`<h1>Connected</h1><p>The device may use Peta now. You can close this page.</p>`,
      });
    },
  };
};

export type DevicePages = ReturnType<typeof createDevicePages>;
