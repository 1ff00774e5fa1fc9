/** The certificate of the service: issued by ACM or a private authority, checked by a Lambda, and kept in Secrets Manager for the instances. */

import { Duration, Stack, Token } from 'aws-cdk-lib';
import { CertificateAuthority, type ICertificateAuthority } from 'aws-cdk-lib/aws-acmpca';
import { Certificate, CertificateValidation, type ICertificate, KeyAlgorithm, PrivateCertificate } from 'aws-cdk-lib/aws-certificatemanager';
import type { IAlarmAction, Metric, MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import { type Grant, type IGrantable, type IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IHostedZone } from 'aws-cdk-lib/aws-route53';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct, type IConstruct } from 'constructs';
import { encryptBelow } from '../encryption/given-key';
import { grantReadOf } from '../identity/secrets-key';
import { refuseUnknownProps } from '../known-props';
import { CertificateRotation, type RotationSource } from './certificate-rotation';
import { PrivateAuthority } from './private-authority';

/** How certificates are rotated, wherever they come from. */
export interface RotationProps {
  /**
   * How long a certificate must still last to be taken up. Whole days.
   * @default Duration.days(1)
   */
  readonly minTimeLeft?: Duration;
  /**
   * Key that encrypts the certificate in its secret, and what the rotation says.
   * @default - the one of what it lies in, or a new one
   */
  readonly encryptionKey?: IKey;
  /**
   * Role as which CloudFormation works, where stacks are deployed with one of yours (`--role-arn`): of all people and roles, it and the rotation
   * Lambda alone may change what the secret is.
   * @default - the role of the CDK's bootstrap; where there is none, CloudFormation on behalf of whoever deploys
   */
  readonly deploymentRole?: IRole;
}

/** A public certificate of ACM. */
export interface PublicCertificateProps extends RotationProps {
  /** Host name that clients connect to. */
  readonly domainName: string;
  /**
   * Further host names.
   * @default - none
   */
  readonly alternativeNames?: string[];
  /** Zone in which ACM's validation records are made. */
  readonly hostedZone: IHostedZone;
  /**
   * Kind of the key: RSA for clients of any age, or ECDSA, which is faster.
   * @default KeyAlgorithm.RSA_2048
   */
  readonly keyAlgorithm?: KeyAlgorithm;
}

/** A certificate of a private authority. */
export interface PrivateServerCertificateProps extends RotationProps {
  /** Host name that clients connect to. */
  readonly domainName: string;
  /**
   * Further host names.
   * @default - none
   */
  readonly alternativeNames?: string[];
  /**
   * Authority that issues. It must be active, and unless it is in short-lived mode, ACM must be permitted to renew with it.
   * @default - a new root authority
   */
  readonly authority?: ICertificateAuthority;
  /**
   * Whether the authority is, or a new one shall be, in short-lived mode. ACM can't issue with such an authority (AWS Private CA user
   * guide, "CA modes"), so the rotation Lambda makes the key and has it certified for seven days, anew after half of that.
   * @default false
   */
  readonly shortLived?: boolean;
  /**
   * Kind of the key; its family must be that of the authority's own key unless `shortLived`.
   * @default KeyAlgorithm.RSA_2048
   */
  readonly keyAlgorithm?: KeyAlgorithm;
}

/** A certificate that ACM has already. */
export interface ExistingCertificateProps extends RotationProps {
  /** A certificate of ACM that may be exported: exportable when it was asked for, or of ACM Private CA. */
  readonly certificate: ICertificate;
  /** Host names that it must cover. */
  readonly names: string[];
}

/** Most that a short-lived authority issues for. Days. */
const SHORT_LIVED_DAYS = 7;

/** A certificate in Secrets Manager, in the form `{certificate, chain, privateKey}`. */
export class ServerCertificate extends Construct {
  /** A public certificate of ACM, exportable, validated by DNS, rotated by a Lambda. */
  public static publicAcm(scope: Construct, id: string, props: PublicCertificateProps): ServerCertificate {
    refuseUnknownProps(props, 'PublicCertificateProps');
    const made = new ServerCertificate(scope, id);
    const { certificateArn } = new Certificate(made, 'Certificate', {
      domainName: props.domainName,
      subjectAlternativeNames: props.alternativeNames,
      validation: CertificateValidation.fromDns(props.hostedZone),
      keyAlgorithm: props.keyAlgorithm,
      allowExport: true,
    });
    return made.rotatedBy(namesOf(props), props, exportedFromAcm(certificateArn));
  }

  /** A certificate of AWS Private CA: issued and renewed through ACM, or by the Lambda itself where the authority is short-lived. */
  public static privateCa(scope: Construct, id: string, props: PrivateServerCertificateProps): ServerCertificate {
    refuseUnknownProps(props, 'PrivateServerCertificateProps');
    const made = new ServerCertificate(scope, id);
    const { shortLived = false, keyAlgorithm = KeyAlgorithm.RSA_2048 } = props;
    const own = props.authority
      ? undefined
      : new PrivateAuthority(made, 'PrivateAuthority', { commonName: `${props.domainName} FTPS root`, shortLived, rsa: keyAlgorithm.name.startsWith('RSA') });
    const { certificateAuthorityArn } = props.authority ?? own!.authority;
    if (shortLived) {
      made.rotatedBy(namesOf(props), props, issuedByLambda(certificateAuthorityArn, keyAlgorithm, Stack.of(made).urlSuffix));
      if (own) made.rotation!.node.addDependency(own.activation);
      return made;
    }
    const certificate = new PrivateCertificate(made, 'Certificate', {
      domainName: props.domainName,
      subjectAlternativeNames: props.alternativeNames,
      certificateAuthority: CertificateAuthority.fromCertificateAuthorityArn(made, 'Issuer', certificateAuthorityArn),
      keyAlgorithm,
    });
    if (own) certificate.node.addDependency(own.activation);
    return made.rotatedBy(namesOf(props), props, exportedFromAcm(certificate.certificateArn));
  }

  /** An ACM certificate that is there already: exportable, or issued by ACM Private CA. */
  public static fromAcm(scope: Construct, id: string, props: ExistingCertificateProps): ServerCertificate {
    refuseUnknownProps(props, 'ExistingCertificateProps');
    if (!Array.isArray(props.names) || props.names.length === 0) throw new Error('names: is empty; name the host names that the certificate must cover');
    const { certificateArn } = props.certificate;
    const [there, here] = [Token.isUnresolved(certificateArn) ? undefined : certificateArn.split(':')[3], Stack.of(scope).region];
    if (there !== undefined && !Token.isUnresolved(here) && there !== here)
      throw new Error(`certificate: lies in ${there}, and the Lambda that exports it in ${here}; ask ACM for one in ${here}`);
    return new ServerCertificate(scope, id).rotatedBy(props.names, props, exportedFromAcm(certificateArn));
  }

  /** A secret that somebody else fills in. Where it has a key of its own, name that too: `Secret.fromSecretAttributes` with `encryptionKey`. */
  public static fromSecret(scope: Construct, id: string, secret: ISecret): ServerCertificate {
    const made = new ServerCertificate(scope, id);
    made.supplied = secret;
    return made;
  }

  private supplied?: ISecret;
  private rotation?: CertificateRotation;

  private constructor(scope: Construct, id: string) {
    super(scope, id);
  }

  /** The secret that the instances read. */
  public get secret(): ISecret {
    return this.supplied ?? this.rotation!.secret;
  }

  /** The Lambda that rotates, for `ftps certificate`; none where somebody else fills the secret in. */
  public get rotationFunction(): IFunction | undefined {
    return this.rotation?.rotation;
  }

  /** Allows reading the certificate and its key. Of a rotated certificate, nobody else but the rotation Lambda can. */
  public grantRead(grantee: IGrantable): Grant {
    return this.rotation ? this.rotation.grantRead(grantee) : grantReadOf(this.secret, grantee);
  }

  /** Lets every alarm do something, for example tell an SNS topic. */
  public addAlarmAction(action: IAlarmAction): void {
    this.rotation?.addAlarmAction(action);
  }

  /** Has these instances told as soon as another certificate is current; they need Systems Manager. They also look by themselves. */
  public pushTo(instances: IConstruct): void {
    this.rotation?.pushTo(instances);
  }

  /** Days that are left to the certificate in the secret. */
  public metricDaysLeft(options?: MetricOptions): Metric {
    return this.rotated('metricDaysLeft').metricDaysLeft(options);
  }

  /** Rotations that failed for a reason: `revoked`, `refused`, `source` or `store`. */
  public metricRotationFailures(reason: string, options?: MetricOptions): Metric {
    return this.rotated('metricRotationFailures').metricFailures(reason, options);
  }

  private rotated(metric: string): CertificateRotation {
    if (!this.rotation) throw new Error(`${metric}: the secret of ${this.node.path} is filled in by somebody else, so nothing here measures it`);
    return this.rotation;
  }

  private rotatedBy(
    names: string[],
    { minTimeLeft = Duration.days(1), encryptionKey, deploymentRole }: RotationProps,
    source: RotationSource,
  ): ServerCertificate {
    encryptBelow(this, encryptionKey);
    this.rotation = new CertificateRotation(this, 'Rotated', { names, minTimeLeft, source, deploymentRole });
    return this;
  }
}

function namesOf({ domainName, alternativeNames = [] }: { domainName: string; alternativeNames?: string[] }): string[] {
  return [domainName, ...alternativeNames];
}

function exportedFromAcm(certificateArn: string): RotationSource {
  return {
    certificateArn,
    environment: { CERTIFICATE_ARN: certificateArn },
    permissions: [new PolicyStatement({ actions: ['acm:ExportCertificate', 'acm:DescribeCertificate'], resources: [certificateArn] })],
    interval: Duration.days(1),
    alarmDays: [30, 14, 7, 1],
  };
}

function issuedByLambda(authorityArn: string, keyAlgorithm: KeyAlgorithm, urlSuffix: string): RotationSource {
  return {
    environment: { AUTHORITY_ARN: authorityArn, KEY_ALGORITHM: keyAlgorithm.name, VALIDITY_DAYS: String(SHORT_LIVED_DAYS), URL_SUFFIX: urlSuffix },
    permissions: [
      new PolicyStatement({
        actions: ['acm-pca:DescribeCertificateAuthority', 'acm-pca:IssueCertificate', 'acm-pca:GetCertificate'],
        resources: [authorityArn],
      }),
    ],
    interval: Duration.hours(6),
    alarmDays: [3, 1],
  };
}
