/** A browser without a screen: it keeps cookies, and follows nothing by itself. */
export type Browser = {
  go(address: string, init?: RequestInit): Promise<Response>;
  submit(address: string, fields: Record<string, string>): Promise<Response>;
};

export const createBrowser = (base: string): Browser => {
  const jar = new Map<string, { name: string; value: string; path: string }>();
  const go = async (address: string, init: RequestInit = {}): Promise<Response> => {
    const url = new URL(address, base);
    const sent = [...jar.values()].filter(({ path }) => url.pathname.startsWith(path));
    const headers = new Headers(init.headers);
    if (sent.length > 0) headers.set('cookie', sent.map(({ name, value }) => `${name}=${value}`).join('; '));
    const response = await fetch(url, { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      const path = /; path=([^;]*)/i.exec(line)?.[1] ?? '/';
      if (value) jar.set(`${name} ${path}`, { name, value, path });
      else jar.delete(`${name} ${path}`);
    }
    return response;
  };
  return {
    go,
    submit: (address, fields) =>
      go(address, {
        method: 'POST',
        body: new URLSearchParams(fields),
        headers: { origin: new URL(base).origin },
      }),
  };
};

/** Whether people can sign in to this Peta with a browser. */
export const hasSignIn = async (base: string): Promise<boolean> => (await fetch(`${base}/sign-in`)).status === 200;

/** Signs somebody in, so that the browser holds their session. */
export const signIn = async (_browser: Browser, _person: { userId: string; password: string }): Promise<void> => {
  throw new Error('How people sign in is not said here yet.');
};

/** Follows an authorization request to where the client takes over, and answers the consent page if there is one. */
export const authorize = async (
  browser: Browser,
  base: string,
  address: string,
  decision: 'allow' | 'deny' = 'allow',
) => {
  let response = await browser.go(address);
  let pages = 0;
  for (let step = 0; step < 10; step += 1) {
    const next = response.headers.get('location');
    if (next !== null) {
      const url = new URL(next, base);
      if (url.origin !== new URL(base).origin) return { location: url, pages, text: '' };
      response = await browser.go(next);
      continue;
    }
    const text = await response.text();
    const [, action] = /action="([^"]+)"/.exec(text) ?? [];
    const [, proof] = /name="proof" value="([^"]+)"/.exec(text) ?? [];
    if (action === undefined || proof === undefined) return { location: undefined, pages, text };
    pages += 1;
    response = await browser.submit(action, { proof, decision });
  }
  throw new Error('The authorization request goes round in circles.');
};
