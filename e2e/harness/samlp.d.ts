/** What the tests use of it: the package brings no types. */
declare module 'samlp' {
  type Request = { issuer?: string; id?: string; assertionConsumerServiceURL?: string };
  const samlp: {
    parseRequest(
      request: { query: Record<string, string> },
      options: object,
      done: (error: Error | null, request?: Request) => void,
    ): void;
    getSamlResponse(config: object, user: object, done: (error: Error | null, response?: string) => void): void;
  };
  export = samlp;
}
