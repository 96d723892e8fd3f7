type Running = { url: string; mcpUrl: string; setupLink: string | null; home: string };

const setup = ({ setupLink }: Running): string =>
  setupLink
    ? `Become its owner with this link, which works once:\n\n  ${setupLink}\n`
    : 'It has an owner. A way back in, should it be needed: npm run peta -- setup-link\n';

/** What a newcomer reads after `npm start`. */
export const firstSteps = (peta: Running): string => `
Peta is running at ${peta.url} (MCP: ${peta.mcpUrl}), its data in ${peta.home}.

${setup(peta)}
Next, in another terminal, add a first MCP server and call it:

  npm run peta -- servers add everything -- npx -y @modelcontextprotocol/server-everything
  npm run peta -- call everything echo '{"message": "hello"}'

Or stop this (Ctrl+C) and try it with three servers ready: npm start -- --demo
`;

const mcpJson = (mcpUrl: string, token: string, key: string): string =>
  JSON.stringify({
    [key]: {
      peta: { ...(key === 'servers' && { type: 'http' }), url: mcpUrl, headers: { Authorization: `Bearer ${token}` } },
    },
  });

/** One stateless request of protocol 2026-07-28: a tool call in a single curl. */
export const curlCall = (mcpUrl: string, token: string): string => {
  const body = {
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: {
      name: 'everything__echo',
      arguments: { message: 'hello' },
      _meta: {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientInfo': { name: 'curl', version: '1' },
        'io.modelcontextprotocol/clientCapabilities': {},
      },
    },
  };
  return [
    `curl -s ${mcpUrl}`,
    `-H 'Authorization: Bearer ${token}'`,
    `-H 'Content-Type: application/json'`,
    `-H 'Accept: application/json, text/event-stream'`,
    `-H 'MCP-Protocol-Version: 2026-07-28'`,
    `-H 'Mcp-Method: tools/call'`,
    `-H 'Mcp-Name: everything__echo'`,
    `-d '${JSON.stringify(body)}'`,
  ].join(' \\\n    ');
};

/** What a newcomer reads after `npm start -- --demo`. */
export const demoGuide = (peta: Running, { token }: { token: string }): string => `
Peta is running at ${peta.url} with three servers: everything, filesystem and notes.

1. Call a tool through it, now:

  ${curlCall(peta.mcpUrl, token)}

2. Connect a client (the token is that of the person "demo", and good until the next start):

  Claude Code   claude mcp add --transport http peta ${peta.mcpUrl} --header "Authorization: Bearer ${token}"
  Cursor        .cursor/mcp.json   ${mcpJson(peta.mcpUrl, token, 'mcpServers')}
  VS Code       .vscode/mcp.json   ${mcpJson(peta.mcpUrl, token, 'servers')}

3. See what was called, then take a tool away; an open client follows within a second:

  npm run peta -- audit
  npm run peta -- users deny demo everything echo

${setup(peta)}`;
