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
import { refuseUnknownProps } from '../known-props';

/** What `PrivateAuthority` is told. */
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

/** A root authority of AWS Private CA, for certificates that are trusted inside alone. */
export class PrivateAuthority extends Construct {
  /** The authority, as certificates want it. */
  public readonly authority: ICertificateAuthority;
  /** Whether it issues certificates of seven days at most. */
  public readonly shortLived: boolean;
  /** Whoever issues with the authority depends on this. */
  public readonly activation: IDependable;

  constructor(scope: Construct, id: string, props: PrivateAuthorityProps) {
    super(scope, id);
    refuseUnknownProps(props, 'PrivateAuthorityProps');
    const { commonName, shortLived = false, rsa = true, years = 10 } = props;
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
