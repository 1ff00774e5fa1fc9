/** What of the settings of AS2 has to fit together. */
import type { Problem } from './problem';
import type { As2Config, As2Partner } from './schema';

export function as2Problems(
  { identity, partners, path, port, plainPort }: As2Config,
  { hasHttps, fips }: { readonly hasHttps: boolean; readonly fips: boolean },
): Problem[] {
  const problems: Problem[] = [];
  if (port === undefined && plainPort === undefined && !hasHttps)
    problems.push({ key: 'as2.port', message: 'is missing; AS2 needs a port of its own, or that of `https`' });
  if (path.startsWith('/api/')) problems.push({ key: 'as2.path', message: `${path} is where the API of HTTPS is; choose another one, for example /as2` });
  const names = new Map([[identity.as2Id, 'as2.identity']]);
  const outboxes = new Map<string, string>();
  partners.forEach((partner, index) => {
    const key = `as2.partners[${index}]`;
    const other = names.get(partner.as2Id);
    if (other !== undefined) problems.push({ key: `${key}.as2Id`, message: `"${partner.as2Id}" is already the name of ${other}` });
    names.set(partner.as2Id, key);
    problems.push(...partnerProblems(partner, key, identity.url !== undefined));
    if (fips) problems.push(...fipsProblems(partner, key));
    const outbox = JSON.stringify([partner.account, partner.outbox]);
    const twice = outboxes.get(outbox);
    if (twice !== undefined && partner.url !== undefined)
      problems.push({ key: `${key}.outbox`, message: `${partner.outbox} of the account ${partner.account} is already the outbox of ${twice}` });
    if (partner.url !== undefined) outboxes.set(outbox, key);
  });
  return problems;
}

/** What FIPS 140-3 takes of digests, ciphers and key transport (NIST SP 800-131A, sections 2, 6 and 9). */
function fipsProblems({ digests, ciphers, send, url }: As2Partner, key: string): Problem[] {
  const refused = (setting: string, what: string, instead: string) => ({
    key: `${key}.${setting}`,
    message: `is or has ${what}, which tls.policy "fips" does not take; ${instead}`,
  });
  return [
    ...(digests.includes('sha1') ? [refused('digests', '"sha1"', 'leave it out')] : []),
    ...(ciphers.includes('des-ede3-cbc') ? [refused('ciphers', '"des-ede3-cbc"', 'leave it out')] : []),
    ...(send.sign === 'sha1' ? [refused('send.sign', '"sha1"', 'choose sha256')] : []),
    ...(send.encrypt === 'des-ede3-cbc' ? [refused('send.encrypt', '"des-ede3-cbc"', 'choose aes-256-cbc')] : []),
    ...(url !== undefined && send.encrypt !== false && send.keyTransport === 'rsa-pkcs1'
      ? [refused('send.keyTransport', '"rsa-pkcs1"', 'choose rsa-oaep')]
      : []),
  ];
}

function partnerProblems(partner: As2Partner, key: string, hasOwnUrl: boolean): Problem[] {
  const problems: Problem[] = [];
  const { url, certificates, encryptionCertificate, require: required, send, receipt, inbox, outbox, sent, failed } = partner;
  if (url?.startsWith('http://') && !partner.allowPlainHttp)
    problems.push({ key: `${key}.url`, message: `${url} is not encrypted; write https://, or set allowPlainHttp` });
  if (required.signed && certificates.length === 0)
    problems.push({ key: `${key}.certificates`, message: 'is empty, and messages have to be signed; name the certificate that the partner signs with' });
  if (url !== undefined && receipt.kind !== 'none' && receipt.signed && certificates.length === 0)
    problems.push({ key: `${key}.certificates`, message: 'is empty, and receipts have to be signed; name the certificate that the partner signs with' });
  if (url !== undefined && send.encrypt !== false && certificates.length === 0 && encryptionCertificate === undefined)
    problems.push({ key: `${key}.encryptionCertificate`, message: 'is missing, and messages are encrypted; name the certificate that they are encrypted for' });
  if (url !== undefined && receipt.kind === 'async' && !hasOwnUrl)
    problems.push({ key: 'as2.identity.url', message: `is missing; ${key}.receipt.kind is "async", and the partner has to be told where receipts go` });
  const folders = [
    ['inbox', inbox],
    ['outbox', outbox],
    ['sent', sent],
    ['failed', failed],
  ] as const;
  folders.forEach(([name, folder], index) => {
    const other = folders.slice(0, index).find(([, before]) => before === folder);
    if (other) problems.push({ key: `${key}.${name}`, message: `${folder} is already ${key}.${other[0]}; give each a folder of its own` });
  });
  return problems;
}
