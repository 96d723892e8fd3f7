/** Another site than Peta's: on one machine, ports stand for hosts. */
export const ELSEWHERE = 'https://idp.example.com';

/** A browser without a window: it keeps cookies as a browser would, and goes where it is sent. */
export const createBrowser = () => {
  const jars = new Map<string, Map<string, string>>();
  const jarOf = ({ host }: URL) => {
    const jar = jars.get(host) ?? new Map<string, string>();
    jars.set(host, jar);
    return jar;
  };

  type Sent = { method?: string; body?: URLSearchParams; origin?: string };
  const ask = async (address: string | URL, { method = 'GET', body, origin }: Sent = {}): Promise<Response> => {
    const url = new URL(address);
    // SameSite=Lax: the form of another site brings no cookie along.
    const cookie =
      method === 'POST' && origin === ELSEWHERE ? '' : [...jarOf(url)].map((pair) => pair.join('=')).join('; ');
    const response = await fetch(url, {
      method,
      redirect: 'manual',
      headers: { ...(cookie && { cookie }), ...(origin && { origin }) },
      ...(body && { body }),
    });
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';');
      const [name = '', ...value] = pair.split('=');
      if (/max-age=0|expires=thu, 01 jan 1970/i.test(line)) jarOf(url).delete(name);
      else jarOf(url).set(name, value.join('='));
    }
    return response;
  };

  const attribute = (html: string, tag: string, name: string): string | undefined =>
    new RegExp(`<${tag}[^>]*\\b${name}="([^"]*)"`).exec(html)?.[1];

  type Page = { url: URL; status: number; text: string; headers: Headers };

  /** Follows redirects, and forms that other sites send by themselves, to where `stop` says or the end. */
  const open = async (
    address: string | URL,
    stop: (url: URL) => boolean = () => false,
    sent: Sent = {},
  ): Promise<Page> => {
    let url = new URL(address);
    let response = await ask(url, sent);
    for (let hops = 0; hops < 20; hops += 1) {
      const location = response.headers.get('location');
      if (location !== null) {
        url = new URL(location, url);
        if (stop(url)) return { url, status: response.status, text: '', headers: response.headers };
        response = await ask(url);
        continue;
      }
      const text = await response.text();
      const value = attribute(text, 'input', 'value');
      const action = attribute(text, 'form', 'action');
      if (
        action === undefined ||
        value === undefined ||
        attribute(text, 'input', 'name') !== 'SAMLResponse' ||
        stop(new URL(action))
      )
        return { url, status: response.status, text, headers: response.headers };
      response = await ask(action, {
        method: 'POST',
        body: new URLSearchParams({ SAMLResponse: value }),
        origin: ELSEWHERE,
      });
      url = new URL(action);
    }
    throw new Error('It is sent around in circles.');
  };

  return { ask, open, cookies: (address: string | URL) => jarOf(new URL(address)) };
};
