/** Whether a client certificate stands for an account. */
import type { AccountRules } from '../config';
import type { ClientCertificate } from './identity';

export function standsFor(certificate: ClientCertificate, rules: Pick<AccountRules, 'certificates'>): boolean {
  return rules.certificates.some((rule) => {
    if (rule.kind === 'fingerprint') return rule.sha256.replaceAll(':', '').toLowerCase() === certificate.sha256;
    if (rule.kind === 'subject') return rule.commonName === certificate.commonName;
    return certificate.subjectAltNames.includes(rule.value);
  });
}
