/**
 * Settings of the server by the names that whoever wrote an app knows them by: from the top of the props of `FtpsService`, or of the settings of an environment.
 * Checks speak of the server's own file, and of blocks; this is the only place that says where that stands in an app.
 */
import { type Problem, serverConfigSchema } from '../server/config';
import { inPropsOfAs2 } from './as2/partner-settings';
import { directoryProp } from './identity/directory-accounts';
import { issuerProp } from './identity/token-issuer';
import { protocols } from './protocols/all';
import { ftpsListeners } from './protocols/ftps';
import { inPropsOfHttps } from './protocols/https';
import type { FtpsServerSettings } from './server-settings';
import { webhookProp } from './storage/upload-webhook';

/** What an app said. */
export interface Said {
  readonly settings: FtpsServerSettings;
  /** How many sources of accounts there are. */
  readonly sources: number;
}

/** Beginnings of keys, and the prop that each stands for. What is not here has none. */
const PROPS: readonly (readonly [key: string, prop: string])[] = [
  ['sftp.hostKeys', 'hostKeys'],
  ['https.signInTable', 'sharedLockouts'],
  ['as2.identity.signing', 'as2Keys'],
  ['as2.identity', 'server.as2.as2Id'],
  ...protocols.flatMap(({ block }) => (block ? [[block.key, block.from] as const] : [])),
  ['passive.ports', 'server.passivePorts'],
  ['firewall.mode', 'server.justInTimeFirewall'],
  ['tls.policy', 'server.tlsPolicy'],
  ['tls.dataTlsReuse', 'server.dataTlsReuse'],
  ['tls.clientCa', 'clientTrust'],
  ['tls.clientCrl', 'clientTrust'],
  ['tls.certificates', 'certificate'],
  ['antivirus', 'server.virusScan'],
  ['limits.sessions', 'server.maxSessions'],
  ['limits.drainSeconds', 'server.drainTimeout'],
  ['limits.idleSeconds', 'server.idleTimeout'],
  ['limits.lockout.table', 'sharedLockouts'],
  ['banner', 'server.banner'],
];

/** Settings of the server's file, or of an app, as they stand in a sentence; no names of hosts. */
const IN_WORDS = new RegExp(
  `(?<![\\w./@-])(?:${[...Object.keys(serverConfigSchema.shape), 'overrides'].join('|')})(?:\\[\\d+\\])?(?:\\.\\w+(?:\\[\\d+\\])*)*`,
  'g',
);

/** What is wrong, in one line, and what would be right. */
export function inProps({ key, message }: Problem, said: Said): string {
  return `${propOf(key, said)}: ${message.replaceAll(IN_WORDS, (name) => (isKey(name) ? propOf(name, said) : name))}`;
}

/** One word alone is a word. What is below a block has to be something of it: `as2.example.com` is not. */
function isKey(name: string): boolean {
  const [, block, within] = /^(sftp|https|as2)\.(\w+)/.exec(name) ?? [];
  if (block === undefined) return /[.[]/.test(name);
  const known = protocols.flatMap(({ derived }) => derived.flatMap(([key, prop]) => [key, prop.replace(/^server\./, '')]));
  return known.some((key) => key === `${block}.${within}` || key.startsWith(`${block}.${within}.`));
}

function propOf(key: string, said: Said): string {
  const { settings } = said;
  if (/^overrides\b/.test(key)) return `server.${key}`;
  const listener = /^listeners(?:\[(\d+)\](?:\.(.+))?)?$/.exec(key);
  if (listener) return listenerProp(settings, listener[1], listener[2]);
  if (isIn(settings.overrides, key.split(/[.[]/, 32))) return `server.overrides.${key}`;
  const source = /^identity\[(\d+)\]\.?(.*)$/.exec(key);
  if (source) return [said.sources > 1 ? `accounts[${source[1]}]` : 'accounts', directoryProp(source[2]!)].filter(Boolean).join('.');
  const named = webhookProp(inPropsOfHttps(inPropsOfAs2(issuerProp(key, settings.https?.issuers))));
  const [from, to] = PROPS.find(([one]) => named === one || named.startsWith(`${one}.`) || named.startsWith(`${one}[`)) ?? ['', ''];
  return to + named.slice(from.length);
}

/** Whether it was said by overrides, or something that stands in its place. */
function isIn(value: unknown, [first, ...others]: readonly string[]): boolean {
  if (value === undefined) return false;
  if (first === undefined || typeof value !== 'object' || value === null || Array.isArray(value)) return true;
  return isIn((value as Record<string, unknown>)[first], others);
}

/** Ports of listeners have a prop for each mode, and the rest one for both; of one listener alone nothing is said but by overrides. */
function listenerProp(settings: FtpsServerSettings, index: string | undefined, rest = 'port'): string {
  const mode = index === undefined ? undefined : ftpsListeners(settings)[Number(index)]?.mode;
  if (mode === undefined) return 'server.explicitPort, server.implicitPort';
  if (rest === 'port') return `server.${mode}Port`;
  if (rest === 'clientCertificates' || rest === 'advertisedAddress') return `server.${rest}`;
  const overrides = (settings.overrides?.['listeners'] ?? []) as readonly { readonly mode?: unknown }[];
  return `server.overrides.listeners[${overrides.findIndex((one) => one.mode === mode)}].${rest}`;
}
