/** Who may log in: accounts in Secrets Manager, in a directory, or in several places asked in order. */
import { CfnOutput } from 'aws-cdk-lib';
import type { IConnectable } from 'aws-cdk-lib/aws-ec2';
import type { Grant, IGrantable } from 'aws-cdk-lib/aws-iam';
import { Construct, type IConstruct } from 'constructs';
import type { ServerConfigInput } from '../../server/config';
import { combined } from '../grants';

/** What a service tells its accounts. */
export interface ServedBy {
  /** Whether its servers keep to FIPS 140-3, which knows no scrypt. */
  readonly fips: boolean;
  /** Lets the alarms of a construct call the same people. */
  adopt(construct: IConstruct): void;
}

/** Accounts of a service. Made by `SecretAccounts`, `DirectoryAccounts`, or of several by `FtpsAccounts.inOrder`. */
export abstract class FtpsAccounts extends Construct {
  /** Several places; the first that knows the user decides. */
  public static inOrder(scope: Construct, id: string, ...places: FtpsAccounts[]): FtpsAccounts {
    return new SeveralAccounts(scope, id, places);
  }

  /** One line for people. */
  public abstract readonly description: string;

  /**
   * The part of the server's settings that follows from this.
   * @internal
   */
  public abstract _sources(): ServerConfigInput['identity'];

  /** Allows reading what the server needs to check a login. */
  public abstract grantRead(grantee: IGrantable): Grant;

  /** Allows the instances to reach the accounts. */
  public abstract allowFrom(instances: IConnectable): void;

  /** Adds outputs for whoever looks after the accounts. */
  public abstract addOutputs(scope: Construct): void;

  /** @internal */
  public _serve(_service: ServedBy): void {
    // Only what is written by the kit has to know.
  }
}

class SeveralAccounts extends FtpsAccounts {
  public readonly description: string;

  constructor(
    scope: Construct,
    id: string,
    private readonly places: FtpsAccounts[],
  ) {
    super(scope, id);
    if (places.length === 0) throw new Error('FtpsAccounts.inOrder: names no place, so nobody could log in');
    this.description = places.map((place) => place.description).join(', then ');
  }

  /** @internal */
  public override _sources(): ServerConfigInput['identity'] {
    return this.places.flatMap((place) => place._sources());
  }

  public override grantRead(grantee: IGrantable): Grant {
    return combined(
      grantee,
      this.places.map((place) => place.grantRead(grantee)),
    );
  }

  public override allowFrom(instances: IConnectable): void {
    for (const place of this.places) place.allowFrom(instances);
  }

  public override addOutputs(scope: Construct): void {
    for (const place of this.places) place.addOutputs(scope);
  }

  /** @internal */
  public override _serve(service: ServedBy): void {
    for (const place of this.places) place._serve(service);
  }
}

/** An output under this id, unless one of several places has made it already. */
export function outputOnce(scope: Construct, id: string, value: string, description: string): void {
  const free = scope.node.tryFindChild(id) ? `${id}${scope.node.children.filter(({ node }) => node.id.startsWith(id)).length + 1}` : id;
  new CfnOutput(scope, free, { value, description });
}
