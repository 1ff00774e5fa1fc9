/** Who may log in: accounts in Secrets Manager, in a directory, or in several places asked in order. */
import { CfnOutput } from 'aws-cdk-lib';
import type { IConnectable } from 'aws-cdk-lib/aws-ec2';
import type { Grant, IGrantable } from 'aws-cdk-lib/aws-iam';
import { Construct, type IConstruct } from 'constructs';
import { combined } from '../grants';

/** What a service tells its accounts. */
export interface ServedBy {
  /** Whether its servers keep to FIPS 140-3, which knows no scrypt. */
  readonly fips: boolean;
  /** Lets the alarms of a construct call the same people. */
  adopt(construct: IConstruct): void;
}

/** Who may log in. `SecretAccounts`, `DirectoryAccounts` and several by `FtpsAccounts.inOrder` are; one of your own may extend `FtpsAccounts`. */
export interface IFtpsAccounts extends IConstruct {
  /** One line for people. */
  readonly description: string;
  /** What the server is told: sources of accounts, asked in this order, as the settings reference has them under `identity`. */
  sources(): { readonly [key: string]: unknown }[];
  /** Allows reading what the server needs to check a login. */
  grantRead(grantee: IGrantable): Grant;
  /** Allows the instances to reach the accounts. */
  allowFrom(instances: IConnectable): void;
  /** Adds outputs for whoever looks after the accounts. */
  addOutputs(scope: Construct): void;
}

/** What places of accounts are made of. */
export abstract class FtpsAccounts extends Construct implements IFtpsAccounts {
  /** Several places; the first that knows the user decides. */
  public static inOrder(scope: Construct, id: string, ...places: IFtpsAccounts[]): FtpsAccounts {
    return new SeveralAccounts(scope, id, places);
  }

  public abstract readonly description: string;
  public abstract sources(): { readonly [key: string]: unknown }[];
  public abstract grantRead(grantee: IGrantable): Grant;
  public abstract allowFrom(instances: IConnectable): void;
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
    private readonly places: IFtpsAccounts[],
  ) {
    super(scope, id);
    if (places.length === 0) throw new Error('FtpsAccounts.inOrder: names no place, so nobody could log in');
    this.description = places.map((place) => place.description).join(', then ');
  }

  public override sources(): { readonly [key: string]: unknown }[] {
    return this.places.flatMap((place) => place.sources());
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
    for (const place of this.places) if (place instanceof FtpsAccounts) place._serve(service);
  }
}

/** An output under this id, unless one of several places has made it already. */
export function outputOnce(scope: Construct, id: string, value: string, description: string): void {
  const free = scope.node.tryFindChild(id) ? `${id}${scope.node.children.filter(({ node }) => node.id.startsWith(id)).length + 1}` : id;
  new CfnOutput(scope, free, { value, description });
}
