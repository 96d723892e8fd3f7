import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { homeOf } from '../target.ts';
import type { Environment, Finding } from './finding.ts';

const NEEDED_NODE = 24;
const LITTLE_SPACE = 1024 ** 3;
const GROUP_OR_OTHERS = 0o077;
const READABLE_BY_OTHERS = 0o044;

export const checkNode = (version: string): Finding =>
  Number.parseInt(version, 10) >= NEEDED_NODE
    ? { state: 'ok', what: `Node.js ${version}` }
    : {
        state: 'wrong',
        what: `Node.js ${version} is too old: Peta needs ${NEEDED_NODE}.`,
        todo: 'Run it through npm ("npm start", "npm run peta -- …"): npm ci brings the right Node.js with it.',
      };

export const checkSettings = (env: Environment): Finding[] => {
  const host = env.PETA_HOST;
  const isOpen =
    host !== undefined && host !== '' && host !== 'localhost' && !host.startsWith('127.') && host !== '::1';
  if (!isOpen || env.ENABLE_HTTPS === 'true') return [];
  return env.PETA_ALLOW_INSECURE_BIND === 'true'
    ? [
        {
          state: 'warning',
          what: `PETA_HOST=${host} without TLS.`,
          todo: 'Make sure that a proxy in front of Peta ends TLS.',
        },
      ]
    : [
        {
          state: 'wrong',
          what: `PETA_HOST=${host} without TLS: Peta will not start.`,
          todo: 'Set ENABLE_HTTPS=true with a certificate, or PETA_ALLOW_INSECURE_BIND=true behind a proxy that ends TLS.',
        },
      ];
};

const checkFile = async (home: string, name: string): Promise<Finding[]> => {
  const found = await stat(join(home, name)).catch(() => undefined);
  if (!found || (found.mode & GROUP_OR_OTHERS) === 0) return [];
  return [
    { state: 'wrong', what: `${join(home, name)} can be read by others.`, todo: `chmod 600 ${join(home, name)}` },
  ];
};

/** The folder: is it there, ours, private, and is there room? */
export const checkHome = async (): Promise<Finding[]> => {
  const home = resolve(homeOf());
  const found = await stat(home).catch(() => undefined);
  if (!found) return [{ state: 'ok', what: `${home} does not exist yet; the first start makes it.` }];
  const isOurs = await access(home, constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!isOurs)
    return [
      {
        state: 'wrong',
        what: `${home} cannot be written to.`,
        todo: 'Run Peta as its owner, or set PETA_HOME to another folder.',
      },
    ];
  const findings: Finding[] = [{ state: 'ok', what: `${home} is there and can be written to.` }];
  if ((found.mode & READABLE_BY_OTHERS) !== 0)
    findings.push({ state: 'warning', what: `${home} can be listed by others.`, todo: `chmod go-r ${home}` });
  for (const name of ['admin.json', 'master.key', 'postgres.password', 'instance'])
    findings.push(...(await checkFile(home, name)));
  const { bavail, bsize } = await statfs(home);
  if (bavail * bsize < LITTLE_SPACE)
    findings.push({
      state: 'warning',
      what: `Only ${Math.round((bavail * bsize) / 1024 ** 2)} MiB are left on the disk of ${home}.`,
      todo: 'Make room: when the disk is full nothing can be recorded, and what cannot be recorded does not run.',
    });
  return findings;
};
