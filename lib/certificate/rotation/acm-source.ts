/** A certificate that ACM issued and renews: exported under a fresh passphrase and decrypted in memory. */
import { createPrivateKey, randomBytes } from 'node:crypto';
import { type ACMClient, DescribeCertificateCommand, ExportCertificateCommand } from '@aws-sdk/client-acm';
import type { CertificateMaterial } from '../../../server/config';
import { asking, RotationFailure } from './failure';
import { sameSerial, serialOf } from './serial';
import type { CertificateSource } from './source';

export function acmSource(acm: ACMClient, certificateArn: string): CertificateSource {
  return {
    id: certificateArn,
    async latest(current) {
      const { Certificate: known = {} } = await asking('source', 'Describing the certificate', () =>
        acm.send(new DescribeCertificateCommand({ CertificateArn: certificateArn })),
      );
      const isServed = sameSerial(known.Serial, serialOf(current));
      if (known.Status === 'REVOKED')
        throw new RotationFailure(
          'revoked',
          `ACM says that ${certificateArn} was revoked (${known.RevocationReason ?? 'no reason given'}). ${isServed ? 'It is the one that is served' : 'It is not the one that is served'}; have a new certificate issued and deploy it`,
        );
      if (known.Status !== 'ISSUED')
        throw new RotationFailure(
          'source',
          `ACM has no issued certificate for ${certificateArn}: its status is ${known.Status ?? 'unknown'}${reasonOf(known)}`,
        );
      // Equal serials mean that this very certificate was exported before, which is also what ACM asks for before it renews.
      return isServed && current ? current : exported(acm, certificateArn);
    },
  };
}

function reasonOf({ FailureReason, RenewalSummary }: { FailureReason?: string; RenewalSummary?: { RenewalStatusReason?: string } }): string {
  const reason = FailureReason ?? RenewalSummary?.RenewalStatusReason;
  return reason ? ` (${reason})` : '';
}

async function exported(acm: ACMClient, certificateArn: string): Promise<CertificateMaterial> {
  const passphrase = randomBytes(32).toString('base64url');
  const {
    Certificate,
    CertificateChain = '',
    PrivateKey,
  } = await asking('source', 'Exporting the certificate', () =>
    acm.send(new ExportCertificateCommand({ CertificateArn: certificateArn, Passphrase: Buffer.from(passphrase) })),
  );
  if (!Certificate || !PrivateKey) throw new RotationFailure('source', 'ACM exported no certificate or no private key');
  let privateKey: string;
  try {
    privateKey = createPrivateKey({ key: PrivateKey, passphrase }).export({ type: 'pkcs8', format: 'pem' }).toString();
  } catch {
    throw new RotationFailure('source', 'the exported private key can not be decrypted'); // without the cause, which may quote it
  }
  return { certificate: Certificate, chain: CertificateChain, privateKey };
}
