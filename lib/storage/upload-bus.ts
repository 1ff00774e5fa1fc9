/** The bus that is told of uploads that became visible, by the storage or by the servers. */
import { EventBus, type IEventBus } from 'aws-cdk-lib/aws-events';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { IFileStorage } from './file-storage';

export class UploadBus {
  private toldByServers?: IEventBus;

  /** `given`: where the servers tell, unless it is the account's own bus. */
  constructor(
    private readonly scope: Construct,
    private readonly storage: IFileStorage,
    private readonly given: IEventBus | undefined,
  ) {}

  /** The storage's own, or, where the servers tell, the one given or the account's, which they may write to from now on. */
  toldBy(servers: IGrantable): IEventBus {
    if (this.storage.eventBus) return this.storage.eventBus;
    if (!this.toldByServers) {
      this.toldByServers = this.given ?? EventBus.fromEventBusName(this.scope, 'DefaultBus', 'default');
      this.toldByServers.grantPutEventsTo(servers);
    }
    return this.toldByServers;
  }

  /** The one that the servers tell, where somebody has asked for it. */
  get arnForServers(): string | undefined {
    return this.toldByServers?.eventBusArn;
  }
}
