/** Checks what a person wrote against the schema and across keys, and reports everything that is wrong at once. */
import type { z } from 'zod';
import { as2Problems } from './check-as2';
import { includesPort, parsePortRange } from './port-range';
import type { Problem } from './problem';
import { type DirectorySettings, type ServerConfig, serverConfigSchema } from './schema';

/** Thrown with every problem found. The message is ready to be shown to a person. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly Problem[]) {
    super(problems.map(({ key, message }) => `${key}: ${message}`).join('\n'));
    this.name = 'ConfigError';
  }
}

/** Returns the configuration with every default filled in, or throws a ConfigError. */
export function checkServerConfig(input: unknown): ServerConfig {
  const parsed = serverConfigSchema.safeParse(input, { reportInput: true });
  if (!parsed.success) throw new ConfigError(parsed.error.issues.flatMap((issue) => describeIssue(issue)));
  const problems = acrossKeys(parsed.data);
  if (problems.length > 0) throw new ConfigError(problems);
  return parsed.data;
}

/** Writes a zod issue the way a person reads it: key, what was wrong, what would be right. */
export function describeIssue(issue: z.core.$ZodIssue): Problem[] {
  const key = keyOf(issue.path) || '(the whole file)';
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((unknown) => ({ key: keyOf([...issue.path, unknown]), message: 'is not a setting; see `ftps config schema` for those there are' }));
  const right = inWords(issue);
  const input = issue.code === 'invalid_union' && issue.discriminator ? (issue.input as Record<string, unknown>)[issue.discriminator] : issue.input;
  if (input === undefined) return [{ key, message: isSaid(issue) && issue.code !== 'invalid_type' ? right : `is missing; ${right}` }];
  if (issue.code === 'invalid_value') return [{ key, message: `${show(input)} is not a choice; ${right}` }];
  return [{ key, message: isSaid(issue) && right.includes(JSON.stringify(input)) ? right : `${show(input)}: ${right}` }];
}

/** Types of zod, as somebody writes them in JSON. */
const TYPES: Readonly<Record<string, string>> = {
  array: 'a list, [ … ]',
  object: 'a block, { … }',
  record: 'a block, { … }',
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
};

/** Whether the schema has words of its own for it. */
function isSaid({ message }: z.core.$ZodIssue): boolean {
  return !/^(Invalid|Too small|Too big)\b/.test(message);
}

/** What would be right: in the words of the schema where it has some, else in plain ones. */
function inWords(issue: z.core.$ZodIssue): string {
  if (isSaid(issue)) return issue.message;
  switch (issue.code) {
    case 'invalid_value':
      return expected(issue.values);
    case 'invalid_type':
      return `expected ${TYPES[issue.expected] ?? issue.expected}`;
    case 'invalid_union':
      if (issue.discriminator) return expected('options' in issue ? (issue.options ?? []) : []);
      return `expected ${issue.errors.map(([first]) => inWords(first!).replace(/^expected /, '')).join(' or ')}`;
    case 'too_small':
      return issue.inclusive ? `expected ${issue.minimum}${COUNTED[issue.origin] ?? ''} or more` : `expected more than ${issue.minimum}`;
    case 'too_big':
      return `expected ${issue.maximum}${COUNTED[issue.origin] ?? ''} at most`;
    default:
      return issue.message;
  }
}

/** What a smallest or largest size counts. */
const COUNTED: Readonly<Record<string, string>> = { array: ' of them', string: ' characters' };

function expected(choices: readonly unknown[]): string {
  return `expected ${choices.map((one) => JSON.stringify(one)).join(' or ')}`;
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  if (text.includes('PRIVATE KEY')) return '(a private key)';
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function keyOf(path: readonly PropertyKey[]): string {
  return path.reduce<string>((key, part) => (typeof part === 'number' ? `${key}[${part}]` : key === '' ? String(part) : `${key}.${String(part)}`), '');
}

function acrossKeys(config: ServerConfig): Problem[] {
  const problems: Problem[] = [];
  const passive = parsePortRange(config.passive.ports);
  const taken = new Map<string, string>();
  config.listeners.forEach(({ port, host, clientCertificates }, index) => {
    const key = `listeners[${index}]`;
    if (port !== 0 && includesPort(passive, port))
      problems.push({ key: `${key}.port`, message: `${port} lies in passive.ports ${config.passive.ports}; choose a port outside of the range` });
    const other = port === 0 ? undefined : taken.get(`${host} ${port}`);
    if (other !== undefined) problems.push({ key: `${key}.port`, message: `${port} is already taken by ${other}; give each listener its own port` });
    taken.set(`${host} ${port}`, `${key}.port`);
    if (clientCertificates !== 'off' && !config.tls.clientCa)
      problems.push({
        key: 'tls.clientCa',
        message: `is missing; ${key}.clientCertificates is "${clientCertificates}", so name the PEM bundle of the authorities to trust`,
      });
  });
  const { sftp, https, as2 } = config;
  for (const [key, name, host, port] of [
    ['sftp.port', 'SFTP', sftp?.host, sftp?.port],
    ['https.port', 'HTTPS', https?.host, https?.port],
    ['as2.port', 'AS2', as2?.host, as2?.port],
    ['as2.plainPort', 'AS2 without TLS', as2?.host, as2?.plainPort],
  ] as const) {
    if (!port) continue;
    if (includesPort(passive, port))
      problems.push({ key, message: `${port} lies in passive.ports ${config.passive.ports}; choose a port outside of the range` });
    const other = taken.get(`${host} ${port}`);
    if (other !== undefined) problems.push({ key, message: `${port} is already taken by ${other}; give ${name} a port of its own` });
    taken.set(`${host} ${port}`, key);
  }
  if (config.as2) problems.push(...as2Problems(config.as2, { hasHttps: config.https !== undefined, fips: config.tls.policy === 'fips' }));
  if (config.https && config.https.clientCertificates !== 'off' && !config.tls.clientCa)
    problems.push({
      key: 'tls.clientCa',
      message: `is missing; https.clientCertificates is "${config.https.clientCertificates}", so name the PEM bundle of the authorities to trust`,
    });
  if (config.tls.policy === 'fips')
    problems.push(
      ...notApproved(config.sftp?.userCertificates.authorities, 'sftp.userCertificates.authorities'),
      ...config.identity.flatMap((source, at) =>
        source.kind === 'directory'
          ? source.rules.flatMap(({ account }, index) =>
              notApproved(account.sshCertificates?.authorities, `identity[${at}].rules[${index}].account.sshCertificates.authorities`),
            )
          : [],
      ),
      ...(config.https?.issuers ?? []).flatMap(({ algorithms }, index) =>
        algorithms.every((one) => one === 'EdDSA')
          ? [
              {
                key: `https.issuers[${index}].algorithms`,
                message:
                  'is "EdDSA" alone, which tls.policy "fips" does not take, so that no token of it would be good; have it sign by "ES256" or another one',
              },
            ]
          : [],
      ),
    );
  const links = config.https?.links;
  if (links && links.defaultSeconds > links.maxSeconds)
    problems.push({
      key: 'https.links.defaultSeconds',
      message: `${links.defaultSeconds} is more than https.links.maxSeconds ${links.maxSeconds}; choose at most that`,
    });
  config.https?.issuers.forEach(({ issuer }, index, all) => {
    if (all.findIndex((one) => one.issuer === issuer) !== index)
      problems.push({ key: `https.issuers[${index}].issuer`, message: `${issuer} is there twice; put the rules of both into one` });
  });
  config.https?.signInWith.forEach(({ issuer, clientSecretFile, clientSecretId, scopes }, index) => {
    const key = `https.signInWith[${index}]`;
    if (!config.https!.issuers.some((one) => one.issuer === issuer))
      problems.push({ key: `${key}.issuer`, message: `${issuer} is not among https.issuers, whose rules say for which account somebody stands` });
    if (clientSecretFile !== undefined && clientSecretId !== undefined)
      problems.push({ key: `${key}.clientSecretId`, message: 'is one too many; give either this or clientSecretFile' });
    if (!scopes.includes('openid')) problems.push({ key: `${key}.scopes`, message: 'lacks "openid", without which there is no ID token' });
  });
  if (config.tls.clientCrl && !config.tls.clientCa)
    problems.push({ key: 'tls.clientCa', message: 'is missing; tls.clientCrl has no meaning without the authorities it belongs to' });
  if (config.firewall.mode === 'nftables' && 'any' in passive)
    problems.push({
      key: 'passive.ports',
      message: `"${config.passive.ports}" has no fixed ports that a firewall could close; write low-high, for example 50000-50015`,
    });
  const sources = config.active.sourcePorts ? parsePortRange(config.active.sourcePorts) : undefined;
  if (sources && 'low' in sources && 'low' in passive && sources.low <= passive.high && passive.low <= sources.high)
    problems.push({ key: 'active.sourcePorts', message: `${config.active.sourcePorts} overlaps passive.ports ${config.passive.ports}; choose other ports` });
  if (config.active.sourcePorts && 'any' in parsePortRange(config.active.sourcePorts))
    problems.push({
      key: 'active.sourcePorts',
      message: `"${config.active.sourcePorts}" has no fixed ports; leave the key out, or write low-high, for example 20-20`,
    });
  config.identity.forEach((source, index) => {
    if (source.kind === 'directory') problems.push(...directoryProblems(source, `identity[${index}]`));
  });
  if (config.storage.kind === 's3' && config.storage.release === 'guardduty') {
    if (config.antivirus.kind !== 'off')
      problems.push({ key: 'antivirus', message: 'scans before GuardDuty does; set storage.release to "server", or antivirus.kind to "off"' });
    if (!config.storage.quarantine)
      problems.push({ key: 'storage.quarantine', message: 'is missing; storage.release is "guardduty", so name the bucket that GuardDuty scans' });
    if (config.afterRelease.command || config.afterRelease.eventBus || config.afterRelease.webhooks.length > 0)
      problems.push({ key: 'afterRelease', message: 'has no effect where the release Lambda lets uploads become visible; give the event bus to the Lambda' });
  }
  const { webhooks } = config.afterRelease;
  webhooks.forEach(({ name, url, loopback }, index) => {
    const key = `afterRelease.webhooks[${index}]`;
    if (webhooks.findIndex((other) => other.name === name) !== index)
      problems.push({ key: `${key}.name`, message: `"${name}" is there twice; give each endpoint its own name` });
    if (url.startsWith('http:') && !loopback)
      problems.push({ key: `${key}.url`, message: 'is not encrypted; write https, or set loopback where it is a program of this machine' });
  });
  if (config.admin.port && includesPort(passive, config.admin.port))
    problems.push({ key: 'admin.port', message: `${config.admin.port} lies in passive.ports ${config.passive.ports}` });
  return problems;
}

/** Authorities of certificates of users whose signatures are not taken within FIPS. */
function notApproved(authorities: readonly string[] = [], key: string): Problem[] {
  return authorities.flatMap((authority, index) =>
    authority.startsWith('ssh-ed25519 ')
      ? [
          {
            key: `${key}[${index}]`,
            message: 'is an Ed25519 key, which tls.policy "fips" does not take, so that nobody could log in by it; let an ECDSA or RSA key sign',
          },
        ]
      : [],
  );
}

function directoryProblems({ bind, rules, users }: DirectorySettings, key: string): Problem[] {
  const problems: Problem[] = [];
  if (users.keyAttribute !== undefined && bind.kind === 'direct')
    problems.push({ key: `${key}.users.keyAttribute`, message: 'needs bind.kind "service": without a password nobody else could look the user up' });
  if (bind.kind === 'service' && (bind.passwordSecretId === undefined) === (bind.passwordFile === undefined))
    problems.push({
      key: `${key}.bind.passwordSecretId`,
      message: 'give either this or passwordFile, so that the server knows the password of the service account',
    });
  rules.forEach(({ account }, index) => {
    if (account.clientCertificate !== 'no' && account.certificates.length === 0)
      problems.push({
        key: `${key}.rules[${index}].account.certificates`,
        message: `is empty, so no certificate could stand for an account; clientCertificate is "${account.clientCertificate}"`,
      });
    if (account.sshLogin !== undefined && account.sshLogin !== 'password-or-key' && bind.kind === 'direct')
      problems.push({
        key: `${key}.rules[${index}].account.sshLogin`,
        message: `"${account.sshLogin}" needs bind.kind "service": without a password nobody else could look the user up`,
      });
    if (account.clientCertificate === 'instead-of-password' && bind.kind === 'direct')
      problems.push({
        key: `${key}.rules[${index}].account.clientCertificate`,
        message: '"instead-of-password" needs bind.kind "service": without a password nobody else could look the user up',
      });
  });
  return problems;
}
