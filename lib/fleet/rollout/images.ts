/** The AMIs of the service: whether one is still there, which recipe it is of, how old it is; and the mark on those that instances start from. */
import { CreateTagsCommand, DeleteTagsCommand, DescribeImagesCommand, type EC2Client, type Image } from '@aws-sdk/client-ec2';

export interface KnownImage {
  readonly id: string;
  /** Beginning of the ARNs of the Image Builder images of one recipe, `arn:…:image/NAME/`; undefined where somebody else made the AMI. */
  readonly recipe?: string;
  readonly created: Date;
}

/** Tag by which Image Builder says which image an AMI is of (EC2 Image Builder user guide, "Tag Image Builder output resources"). */
const MADE_FROM = 'Ec2ImageBuilderArn';

export class Images {
  private readonly mark: { Key: string; Value: string };

  /** `mark`: tag that keeps an AMI from being deleted, `key=value`. */
  constructor(
    private readonly client: EC2Client,
    mark: string,
  ) {
    const [Key = '', Value = ''] = mark.split('=');
    this.mark = { Key, Value };
  }

  /** Undefined where there is no such AMI any more. */
  async find(id: string | undefined): Promise<KnownImage | undefined> {
    // A filter, unlike a list of ids, takes one that is gone.
    const [found] = id ? await this.describe('image-id', id) : [];
    return found;
  }

  /** Those that proved good in service, the newest first. */
  async inService(): Promise<KnownImage[]> {
    const found = await this.describe(`tag:${this.mark.Key}`, this.mark.Value);
    return found.sort((one, other) => other.created.getTime() - one.created.getTime());
  }

  /**
   * Marks the image in service, and takes the mark off those before. The newest one of another recipe keeps it: it is what a deployment that
   * is rolled back starts from again.
   */
  async keep(image: KnownImage): Promise<void> {
    const marked = await this.inService();
    if (!marked.some(({ id }) => id === image.id)) await this.client.send(new CreateTagsCommand({ Resources: [image.id], Tags: [this.mark] }));
    const before = marked.find(({ recipe }) => recipe !== image.recipe);
    const over = marked.filter(({ id }) => id !== image.id && id !== before?.id).map(({ id }) => id);
    if (over.length > 0) await this.client.send(new DeleteTagsCommand({ Resources: over, Tags: [this.mark] }));
  }

  private async describe(Name: string, value: string): Promise<KnownImage[]> {
    const { Images: found = [] } = await this.client.send(new DescribeImagesCommand({ Filters: [{ Name, Values: [value] }] }));
    return found.map(known);
  }
}

function known({ ImageId, CreationDate, Tags = [] }: Image): KnownImage {
  const arn = Tags.find(({ Key }) => Key === MADE_FROM)?.Value;
  return { id: ImageId!, recipe: arn && /^.*:image\/[^/]+\//.exec(arn)?.[0], created: new Date(CreationDate ?? 0) };
}
