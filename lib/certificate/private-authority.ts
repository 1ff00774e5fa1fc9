/** A private certificate authority of one's own: a root, made active, that ACM may renew certificates of. */
import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import {
  CertificateAuthority,
  CfnCertificate,
  CfnCertificateAuthority,
  CfnCertificateAuthorityActivation,
  CfnPermission,
  type ICertificateAuthority,
} from 'aws-cdk-lib/aws-acmpca';
import { Construct, type IDependable } from 'constructs';

export interface PrivateAuthorityProps {
  /** Common name of the root, as partners see it in their trust stores. */
  readonly commonName: string;
  /**
   * Whether the authority issues only certificates of at most seven days, at a lower price (AWS Private CA user guide, "CA modes").
   * @default false
   */
  readonly shortLived?: boolean;
  /**
   * Whether its key is an RSA one, for old clients; else it is on P-256.
   * @default true
   */
  readonly rsa?: boolean;
  /**
   * Years that the root lasts.
   * @default 10
   */
  readonly years?: number;
}

export class PrivateAuthority extends Construct {
  public readonly authority: ICertificateAuthority;
  public readonly shortLived: boolean;
  /** Whoever issues with the authority depends on this. */
  public readonly activation: IDependable;

  constructor(scope: Construct, id: string, { commonName, shortLived = false, rsa = true, years = 10 }: PrivateAuthorityProps) {
    super(scope, id);
    this.shortLived = shortLived;
    const signingAlgorithm = rsa ? 'SHA256WITHRSA' : 'SHA256WITHECDSA';
    const made = new CfnCertificateAuthority(this, 'Authority', {
      type: 'ROOT',
      keyAlgorithm: rsa ? 'RSA_2048' : 'EC_prime256v1',
      signingAlgorithm,
      subject: { commonName },
      usageMode: shortLived ? 'SHORT_LIVED_CERTIFICATE' : 'GENERAL_PURPOSE',
    });
    made.applyRemovalPolicy(RemovalPolicy.RETAIN); // partners have it in their trust stores
    const root = new CfnCertificate(this, 'Root', {
      certificateAuthorityArn: made.attrArn,
      certificateSigningRequest: made.attrCertificateSigningRequest,
      signingAlgorithm,
      templateArn: Stack.of(this).formatArn({ service: 'acm-pca', region: '', account: '', resource: 'template', resourceName: 'RootCACertificate/V1' }),
      validity: { type: 'YEARS', value: years },
    });
    const activation = new CfnCertificateAuthorityActivation(this, 'Activation', {
      certificateAuthorityArn: made.attrArn,
      certificate: root.attrCertificate,
      status: 'ACTIVE',
    });
    if (!shortLived)
      new CfnPermission(this, 'Renewal', {
        certificateAuthorityArn: made.attrArn,
        principal: 'acm.amazonaws.com',
        actions: ['IssueCertificate', 'GetCertificate', 'ListPermissions'],
      });
    this.authority = CertificateAuthority.fromCertificateAuthorityArn(this, 'Active', made.attrArn);
    this.activation = activation;
  }
}
