/** The three requests to AWS Private CA that issuing takes, as signed HTTP (API reference of AWS Private CA, protocol JSON 1.1). */
import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import type { AwsCredentialIdentityProvider } from '@smithy/types';

export interface IssueRequest {
  readonly authorityArn: string;
  /** PEM of the certificate signing request. */
  readonly request: string;
  readonly validityDays: number;
  readonly signingAlgorithm: string;
  /** The same token within five minutes gives the same certificate. */
  readonly token: string;
}

const ATTEMPTS = 5;
const TEMPLATE = 'template/EndEntityServerAuthCertificate/V1';

export class PrivateCaApi {
  constructor(
    private readonly region: string,
    private readonly credentials: AwsCredentialIdentityProvider,
    private readonly endpoint: string,
  ) {}

  /** SHA-256 with the family of the authority's own key. */
  async signingAlgorithm(authorityArn: string): Promise<string> {
    const { CertificateAuthority } = (await this.send('DescribeCertificateAuthority', { CertificateAuthorityArn: authorityArn })) as {
      CertificateAuthority: { CertificateAuthorityConfiguration: { KeyAlgorithm: string } };
    };
    return CertificateAuthority.CertificateAuthorityConfiguration.KeyAlgorithm.startsWith('RSA') ? 'SHA256WITHRSA' : 'SHA256WITHECDSA';
  }

  /** Returns the ARN of the certificate, which is then being made. */
  async issue({ authorityArn, request, validityDays, signingAlgorithm, token }: IssueRequest): Promise<string> {
    const [, partition] = authorityArn.split(':');
    const { CertificateArn } = (await this.send('IssueCertificate', {
      CertificateAuthorityArn: authorityArn,
      Csr: Buffer.from(request).toString('base64'),
      SigningAlgorithm: signingAlgorithm,
      TemplateArn: `arn:${partition}:acm-pca:::${TEMPLATE}`,
      Validity: { Type: 'DAYS', Value: validityDays },
      IdempotencyToken: token,
    })) as { CertificateArn: string };
    return CertificateArn;
  }

  /** Undefined while it is still being made. */
  async get(authorityArn: string, certificateArn: string): Promise<{ certificate: string; chain: string } | undefined> {
    try {
      const { Certificate, CertificateChain } = (await this.send('GetCertificate', {
        CertificateAuthorityArn: authorityArn,
        CertificateArn: certificateArn,
      })) as { Certificate: string; CertificateChain?: string };
      return { certificate: Certificate, chain: CertificateChain ?? '' };
    } catch (error) {
      if ((error as Error).name === 'RequestInProgressException') return undefined;
      throw error;
    }
  }

  private async send(action: string, body: unknown): Promise<unknown> {
    const { hostname, host, protocol, port } = new URL(this.endpoint);
    const signer = new SignatureV4({ service: 'acm-pca', region: this.region, credentials: this.credentials, sha256: Sha256 });
    for (let attempt = 1; ; attempt += 1) {
      const { headers } = await signer.sign({
        method: 'POST',
        protocol,
        hostname,
        port: port ? Number(port) : undefined,
        path: '/',
        query: {},
        headers: { host, 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `ACMPrivateCA.${action}` },
        body: JSON.stringify(body),
      });
      const { host: _, ...sent } = headers; // fetch writes this one itself
      const response = await fetch(this.endpoint, { method: 'POST', headers: sent, body: JSON.stringify(body), signal: AbortSignal.timeout(20_000) });
      const answer = (await response.json().catch(() => ({}))) as { __type?: string; message?: string; Message?: string };
      if (response.ok) return answer;
      const error = new Error(answer.message ?? answer.Message ?? `HTTP ${response.status}`);
      error.name = answer.__type?.split('#').at(-1) ?? 'ServiceException';
      if (attempt === ATTEMPTS || !(response.status >= 500 || /Throttl|TooManyRequests|LimitExceeded/.test(error.name))) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200 * 2 ** attempt * Math.random()));
    }
  }
}

type Bytes = string | ArrayBuffer | ArrayBufferView;
/** Node's SHA-256 in the shape that the signer asks for. */
class Sha256 {
  private hash;

  constructor(private readonly secret?: Bytes) {
    this.hash = this.fresh();
  }

  update(data: Bytes): void {
    this.hash.update(typeof data === 'string' ? data : bytes(data));
  }

  async digest(): Promise<Uint8Array> {
    return this.hash.digest();
  }

  reset(): void {
    this.hash = this.fresh();
  }

  private fresh() {
    return this.secret === undefined ? createHash('sha256') : createHmac('sha256', typeof this.secret === 'string' ? this.secret : bytes(this.secret));
  }
}

function bytes(data: ArrayBuffer | ArrayBufferView): Uint8Array {
  return ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);
}
