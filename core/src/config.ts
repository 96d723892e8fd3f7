import { z } from 'zod';

const flag = z.stringbool().default(false);
const seconds = (fallback: number) => z.coerce.number().min(0.05).max(86_400).default(fallback);
const list = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean),
  );

const REDIRECTS = [
  'http://loopback',
  'https://*',
  'claude:*',
  'com.anthropic.claude:*',
  'com.openai.chat:*',
  'cursor:*',
  'goose:*',
  'lmstudio:*',
  'raycast:*',
  'vscode:*',
  'vscode-insiders:*',
  'vscodium:*',
  'warp:*',
  'windsurf:*',
  'zed:*',
];

/** Every setting: its default and its help. docs/reference/settings.md is printed from this. */
const Settings = z.object({
  DATABASE_URL: z
    .url()
    .optional()
    .describe('PostgreSQL 15 or newer to use. Without it a PostgreSQL of its own runs below PETA_HOME.'),
  PETA_HOME: z.string().min(1).default('./.peta').describe('Folder of everything Peta keeps on disk.'),
  BACKEND_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .default(3002)
    .describe('Port to listen on; 0 takes a free one.'),
  PETA_HOST: z.string().min(1).default('127.0.0.1').describe('Address to listen on.'),
  PETA_ALLOW_INSECURE_BIND: flag.describe(
    'Allow a PETA_HOST other than loopback without TLS, for example behind a proxy that ends TLS.',
  ),
  PETA_ALLOWED_HOSTS: list.describe(
    'Further Host header names to answer to, separated by commas; loopback names and PETA_HOST always are.',
  ),
  PETA_ALLOWED_ORIGINS: list.describe('Further web origins that may call, separated by commas.'),
  PETA_PRIVATE_HOSTS: list.describe(
    'Hosts on a private network, separated by commas, that Peta may ask where others name them: identity providers, client metadata. They may be spoken to without TLS.',
  ),
  PETA_PUBLIC_URL: z
    .url({ protocol: /^https?$/ })
    .refine((text) => !/[?#]|\/\/[^/]*@/.test(text), 'must be an address without user name, ? and #')
    .transform((text) => text.replace(/\/+$/, ''))
    .optional()
    .describe(
      'Address that clients reach Peta by, such as https://peta.example.com: the issuer of OAuth tokens. Without it, the address it listens on.',
    ),
  PETA_OAUTH_REDIRECT_PATTERNS: z
    .string()
    .default(REDIRECTS.join(','))
    .transform((text) =>
      text
        .split(',')
        .map((part) => part.trim())
        .filter(Boolean),
    )
    .describe(
      'Where OAuth clients that register themselves may have answers sent to, separated by commas: exact addresses, beginnings that end with *, and http://loopback for any port of the same machine.',
    ),
  ENABLE_HTTPS: flag.describe('Serve TLS; needs SSL_CERT_PATH and SSL_KEY_PATH.'),
  SSL_CERT_PATH: z.string().optional().describe('TLS certificate chain, PEM.'),
  SSL_KEY_PATH: z.string().optional().describe('TLS private key, PEM.'),
  JWT_SECRET: z
    .string()
    .min(32)
    .optional()
    .describe('Seeds the master key of the vault; without it a random key file is made in PETA_HOME.'),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('Least severity that is logged.'),
  LOG_PRETTY: flag.describe('Log lines for people instead of JSON.'),
  AUDIT_FSYNC: z
    .enum(['never', 'always'])
    .default('never')
    .describe('always: an answered call also survives loss of power, not only of the process.'),
  PETA_NAME_STYLE: z
    .enum(['safe', 'colons'])
    .default('safe')
    .describe(
      'How tools and prompts are shown: server__name, which every client takes, or server::name. Both are always accepted.',
    ),
  PETA_CALL_TIMEOUT_SECONDS: seconds(300).describe(
    'A server that neither answers nor reports progress for this long fails the call.',
  ),
  PETA_QUESTION_TIMEOUT_SECONDS: seconds(600).describe(
    'A client, or the person behind it, that is asked something in the middle of a call has this long to answer.',
  ),
  PETA_MAX_INSTANCES: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000)
    .default(8)
    .describe(
      'Connections, and for stdio processes, of one server beside its first: calls that may ask their client something do not share one.',
    ),
  PETA_KEEPALIVE_SECONDS: seconds(15).describe(
    'An open stream to a client says something at least this often, so that no proxy takes it for dead.',
  ),
  PETA_START_TIMEOUT_SECONDS: seconds(60).describe('A server that is not ready after this long has failed to start.'),
  PETA_MAX_BODY_BYTES: z.coerce
    .number()
    .int()
    .min(1024)
    .default(4 * 1024 * 1024)
    .describe('Largest request body.'),
  PETA_PAGE_SIZE: z.coerce
    .number()
    .int()
    .min(1)
    .max(10_000)
    .default(200)
    .describe('Entries on a page of tools, resources or prompts.'),
  PETA_SESSION_IDLE_SECONDS: seconds(3600).describe('A session without requests or open streams ends after this long.'),
  PETA_STDIO_ENV: list.describe(
    'Names of further environment variables that stdio servers inherit, separated by commas; PATH, HOME and the like always are.',
  ),
});

export type Config = z.output<typeof Settings>;

/** A setting that cannot be used, in words for the person who set it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost']);
export const isLoopback = (host: string): boolean => LOOPBACK.has(host) || host.startsWith('127.');

/**
 * Reads every setting from the environment; an empty value counts as absent.
 * Throws `ConfigError` naming each setting that is wrong and what it may be.
 */
export const readConfig = (env: Record<string, string | undefined>): Config => {
  const given = Object.fromEntries(Object.keys(Settings.shape).flatMap((key) => (env[key] ? [[key, env[key]]] : [])));
  const parsed = Settings.safeParse(given);
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
    throw new ConfigError(`These settings cannot be used:\n${lines.join('\n')}`);
  }
  const config = parsed.data;
  if (config.ENABLE_HTTPS && !(config.SSL_CERT_PATH && config.SSL_KEY_PATH))
    throw new ConfigError('ENABLE_HTTPS=true needs SSL_CERT_PATH and SSL_KEY_PATH.');
  if (!isLoopback(config.PETA_HOST) && !config.ENABLE_HTTPS && !config.PETA_ALLOW_INSECURE_BIND)
    throw new ConfigError(
      `PETA_HOST=${config.PETA_HOST} would let other machines reach Peta without TLS. Set ENABLE_HTTPS=true with a certificate, or PETA_ALLOW_INSECURE_BIND=true when a proxy in front ends TLS.`,
    );
  return config;
};

/** Name, help and default of every setting, for the reference page. */
export const settingsReference = (): { name: string; help: string; fallback: string }[] =>
  Object.entries(Settings.shape).map(([name, schema]) => {
    const fallback: unknown = schema.safeParse(undefined).data;
    return {
      name,
      help: schema.description ?? '',
      fallback: Array.isArray(fallback) ? fallback.join(',') : String(fallback ?? ''),
    };
  });
