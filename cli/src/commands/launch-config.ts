import { Misuse } from '../failure.ts';

export type LaunchOptions = {
  http?: string;
  sse?: string;
  header: string[];
  env: string[];
  cwd?: string;
  protocol: 'auto' | 'legacy' | 'modern';
};

/** `NAME=value`, or `NAME` alone for the value this command sees: then it is in no process list. */
const environment = (pairs: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      const name = at < 0 ? pair : pair.slice(0, at);
      const value = at < 0 ? process.env[name] : pair.slice(at + 1);
      if (value === undefined)
        throw new Misuse(`--env ${name}: there is no such variable here; give ${name}=value or export it first.`);
      return [name, value];
    }),
  );

const headers = (lines: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf(':');
      if (at < 1) throw new Misuse('--header: write it as "Name: value".');
      return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    }),
  );

/** How a server is reached, from the words after `--` or the options. Throws `Misuse`. */
export const launchConfig = (command: readonly string[], options: LaunchOptions) => {
  const { http, sse, header, env, cwd, protocol: mcpProtocol } = options;
  if ([http, sse, command[0]].filter((one) => one !== undefined).length !== 1)
    throw new Misuse('Say how to reach the server in one way: --http, --sse, or a command after "--".');
  const [program, ...args] = command;
  if (program !== undefined) {
    if (header.length > 0) throw new Misuse('--header goes with --http or --sse; a command takes --env.');
    const given = { command: program, args, env: environment(env), ...(cwd && { cwd }) };
    return { type: 'stdio' as const, ...given, mcpProtocol };
  }
  if (env.length > 0 || cwd) throw new Misuse('--env and --cwd go with a command; --http and --sse take --header.');
  const url = http ?? sse ?? '';
  return { type: http ? ('http' as const) : ('sse' as const), url, headers: headers(header), mcpProtocol };
};
