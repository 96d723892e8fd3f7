import type { IdentityProvider } from '@peta/api';
import type { Command } from 'commander';
import { Failure, Misuse } from '../failure.ts';
import { printJson, printLine, printTable } from '../print.ts';
import { clientFor, type TargetOptions } from '../target.ts';
import { mappingOf, type ProviderOptions, readText, secretOf, settingsOf } from './sso-options.ts';

type Options = ProviderOptions & TargetOptions & { json?: boolean };
type OidcOptions = Options & { issuer: string; clientId: string };
type SamlOptions = Options & { metadata?: string; entryPoint?: string; idpIssuer?: string; certificate?: string[] };

const withMapping = (command: Command): Command =>
  command
    .option('--name <name>', 'as the button on the sign-in page has it')
    .option(
      '--group <mapping...>',
      'group=role:team,team, what a group of the provider is here: administrator, user, auditor …',
    )
    .option('--default-role <role>', 'of those without a matching group; none keeps them out (the default)')
    .option('--domain <domain...>', 'of e-mail addresses that are let in')
    .option('--link-by-email', 'people may take over the account with their verified e-mail address')
    .option('--no-link-by-email', 'they may not (the default)')
    .option('--create-users', 'people get an account when they first come (the default)')
    .option('--no-create-users', 'only those who have an account are let in')
    .option('--set <setting=value...>', 'any other setting, such as groupsClaim=roles');

const show = (json: boolean | undefined, provider: IdentityProvider, sentence: string): void => {
  if (json) {
    printJson(provider);
    return;
  }
  printLine(sentence);
  const { signIn, callback, metadata } = provider.addresses;
  printLine(provider.kind === 'oidc' ? `  redirect URI  ${callback}` : `  consumer (ACS)  ${callback}`);
  if (metadata) printLine(`  our metadata, and entity id  ${metadata}`);
  printLine(`  people begin at  ${signIn}`);
};

export const addSso = (program: Command): void => {
  const sso = program.command('sso').description('single sign-on: identity providers of the workspace');

  sso
    .command('list')
    .description('identity providers')
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals();
      const { providers } = await (await clientFor(options)).identityProviders.list({});
      if (options.json) return printJson(providers);
      if (providers.length === 0) return printLine('No identity providers yet. Add one: peta sso add-oidc --help');
      printTable(
        ['ID', 'NAME', 'KIND', 'ON', 'ISSUER', 'BEGINS AT'],
        providers.map(({ providerId, name, kind, enabled, settings, addresses }) => [
          providerId,
          name,
          kind,
          enabled ? 'yes' : 'no',
          'issuer' in settings ? settings.issuer : settings.idpIssuer,
          addresses.signIn,
        ]),
      );
    });

  withMapping(
    sso
      .command('add-oidc')
      .description('let people sign in by OpenID Connect')
      .argument('<id>')
      .requiredOption('--issuer <url>', 'of the provider')
      .requiredOption('--client-id <id>', 'of Peta there')
      .option('--secret-env <variable>', 'variable that holds the client secret; without it, Peta is a public client'),
  ).action(async (providerId: string, _options, command: Command) => {
    const options = command.optsWithGlobals<OidcOptions>();
    const { provider } = await (await clientFor(options)).identityProviders.create({
      providerId,
      kind: 'oidc',
      ...(options.name && { name: options.name }),
      settings: { issuer: options.issuer, clientId: options.clientId, ...settingsOf(options) },
      mapping: mappingOf(options),
      ...secretOf(options),
    });
    show(options.json, provider, `${providerId} was added. Next: peta sso test ${providerId}. Register there:`);
  });

  withMapping(
    sso
      .command('add-saml')
      .description('let people sign in by SAML 2.0')
      .argument('<id>')
      .option('--metadata <file>', 'metadata of the provider, which says the rest')
      .option('--entry-point <url>', 'where the provider takes requests by redirect')
      .option('--idp-issuer <entity id>', 'what the provider calls itself')
      .option('--certificate <file...>', 'PEM of what the provider signs with'),
  ).action(async (providerId: string, _options, command: Command) => {
    const options = command.optsWithGlobals<SamlOptions>();
    const { metadata, entryPoint, idpIssuer, certificate } = options;
    if ((metadata === undefined) === (entryPoint === undefined))
      throw new Misuse('Give --metadata, or --entry-point with --idp-issuer and --certificate.');
    const settings = metadata
      ? { metadata: await readText(metadata) }
      : { entryPoint, idpIssuer, certificates: await Promise.all((certificate ?? []).map(readText)) };
    const { provider } = await (await clientFor(options)).identityProviders.create({
      providerId,
      kind: 'saml',
      ...(options.name && { name: options.name }),
      settings: { ...settings, ...settingsOf(options) },
      mapping: mappingOf(options),
    });
    show(options.json, provider, `${providerId} was added. Next: peta sso test ${providerId}. Register there:`);
  });

  withMapping(
    sso
      .command('set')
      .description('change an identity provider; what is not named stays')
      .argument('<id>')
      .option('--on', 'switch it on')
      .option('--off', 'switch it off')
      .option('--metadata <file>', 'new metadata of a SAML provider')
      .option('--secret-env <variable>', 'variable that holds the new client secret'),
  ).action(async (providerId: string, _options, command: Command) => {
    const options = command.optsWithGlobals<SamlOptions & { on?: boolean; off?: boolean }>();
    if (options.on && options.off) throw new Misuse('Say --on or --off.');
    const settings = {
      ...(options.metadata && { metadata: await readText(options.metadata) }),
      ...settingsOf(options),
    };
    const mapping = mappingOf(options);
    const { provider } = await (await clientFor(options)).identityProviders.update({
      providerId,
      ...(options.name && { name: options.name }),
      ...((options.on || options.off) && { enabled: options.on === true }),
      ...(Object.keys(settings).length > 0 && { settings }),
      ...(Object.keys(mapping).length > 0 && { mapping }),
      ...secretOf(options),
    });
    show(options.json, provider, `${providerId} was changed.`);
  });

  sso
    .command('remove')
    .description('remove an identity provider; the people stay')
    .argument('<id>')
    .action(async (providerId: string, _options, command: Command) => {
      const options = command.optsWithGlobals();
      const done = await (await clientFor(options)).identityProviders.remove({ providerId });
      if (options.json) printJson(done);
      else printLine(done.message);
    });

  sso
    .command('test')
    .description('does it answer, and can somebody sign in?')
    .argument('<id>')
    .action(async (providerId: string, _options, command: Command) => {
      const options = command.optsWithGlobals();
      const { ok, checks } = await (await clientFor(options)).identityProviders.test({ providerId });
      if (options.json) printJson({ ok, checks });
      else for (const check of checks) printLine(`${check.ok ? '✓' : '✗'} ${check.message}`);
      if (!ok) throw new Failure(`${providerId} is not ready.`);
    });
};
