import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * The suite has no token to send: this passes its requests on as they are, with one. Returns the address to use in place
 * of `url`, and how to end it.
 */
export const openTokenDoor = async (url: string, token: string): Promise<{ url: string; close(): void }> => {
  const { hostname: host, port, pathname } = new URL(url);
  const server = createServer((incoming, response) => {
    const headers = { ...incoming.headers, authorization: `Bearer ${token}` };
    const onward = request({ host, port, path: incoming.url, method: incoming.method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      response.flushHeaders();
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${pathname}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
};
