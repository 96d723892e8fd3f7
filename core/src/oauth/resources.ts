const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]'];
const ENDPOINT = /^\/mcp(\/public|\/e\/[A-Za-z0-9][A-Za-z0-9._-]{0,63})?$/;

export type ResourcesOptions = {
  /** The address clients reach Peta by, without a slash at its end: the issuer. */
  publicUrl(): string;
  /** Nobody said what the address is, so every loopback name of it is as good. */
  isDerived: boolean;
};

/**
 * Our own endpoints as the resources of RFC 8707: what a token may be for. Which of them exist differs by workspace, and
 * is told to nobody before it is known who asks.
 */
export const createResources = ({ publicUrl, isDerived }: ResourcesOptions) => {
  const bases = (): string[] => {
    const base = publicUrl();
    const url = new URL(base);
    if (!isDerived || !LOOPBACK.includes(url.hostname)) return [base];
    const port = url.port ? `:${url.port}` : '';
    return [base, ...LOOPBACK.map((host) => `${url.protocol}//${host}${port}`).filter((other) => other !== base)];
  };

  const endpointOf = (resource: string): string | undefined => {
    for (const base of bases()) {
      const path = resource.startsWith(base) ? resource.slice(base.length) : '';
      if (ENDPOINT.test(path)) return path;
    }
    return undefined;
  };

  return {
    publicUrl,

    /** The endpoint that an audience names, exactly; undefined for anything that is not ours. */
    endpointOf,

    /** The address of an endpoint for whoever asked this host. */
    resourceOf(endpoint: string, host: string | undefined): string {
      const base = bases().find((one) => new URL(one).host === host) ?? publicUrl();
      return `${base}${endpoint}`;
    },
  };
};

export type Resources = ReturnType<typeof createResources>;
