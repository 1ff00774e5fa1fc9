/** Which image was built last, and which has proved good in service: two SSM parameters. */
import { DeleteParameterCommand, GetParameterCommand, PutParameterCommand, type SSMClient } from '@aws-sdk/client-ssm';

export class ImageParameters {
  constructor(
    private readonly client: SSMClient,
    private readonly names: { readonly built: string; readonly good: string },
  ) {}

  /** The AMI that Image Builder distributed last. It passed the tests of the image. */
  built(): Promise<string | undefined> {
    return this.get(this.names.built);
  }

  /** The AMI that all instances were last moved to without a roll-back. */
  good(): Promise<string | undefined> {
    return this.get(this.names.good);
  }

  async proved(imageId: string): Promise<void> {
    await this.client.send(new PutParameterCommand({ Name: this.names.good, Value: imageId, Type: 'String', DataType: 'aws:ec2:image', Overwrite: true }));
  }

  /** Both go with the service. */
  async forget(): Promise<void> {
    for (const Name of Object.values(this.names))
      await this.client.send(new DeleteParameterCommand({ Name })).catch((error: Error) => {
        if (error.name !== 'ParameterNotFound') throw error;
      });
  }

  private async get(Name: string): Promise<string | undefined> {
    try {
      const { Parameter } = await this.client.send(new GetParameterCommand({ Name }));
      return Parameter?.Value;
    } catch (error) {
      if ((error as Error).name === 'ParameterNotFound') return undefined;
      throw error;
    }
  }
}
