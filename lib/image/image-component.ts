/** What a company puts into every image of its own: agents for monitoring, inventory, malware; authorities; login banners. */
import { ArnFormat, Stack } from 'aws-cdk-lib';
import { CfnComponent } from 'aws-cdk-lib/aws-imagebuilder';
import type { Construct } from 'constructs';
import { digest } from '../digest';
import { stableName } from '../names';
import { bash, document } from './documents';

/** Shell lines of a component, run as root by bash, ended by the first that fails. */
export interface ImageCommands {
  /** What installs and sets up. */
  readonly install: string[];
  /**
   * What must hold when everything is installed; a line that fails ends the build, and the image before stays in service.
   * @default - nothing is looked at
   */
  readonly validate?: string[];
  /**
   * What must hold on an instance that was started from the finished image.
   * @default - nothing is looked at
   */
  readonly test?: string[];
}

/** A component of EC2 Image Builder of your own. It is applied behind those of the kit: what they installed is there, and the hardening is done. */
export class ImageComponent {
  /** One that there is already, by its ARN: of your company, of AWS (`arn:aws:imagebuilder:eu-central-1:aws:component/NAME/x.x.x`) or bought. */
  public static fromArn(componentArn: string, parameters: { [name: string]: string } = {}): ImageComponent {
    return new ImageComponent(() => componentArn, withoutTokens(componentArn), parameters);
  }

  /** One of AWS, by its name: `amazon-cloudwatch-agent-linux` for example. The newest version is taken at each build. */
  public static managedByAws(name: string, parameters: { [name: string]: string } = {}): ImageComponent {
    const arn = (scope: Construct) =>
      Stack.of(scope).formatArn({
        service: 'imagebuilder',
        account: 'aws',
        resource: 'component',
        resourceName: `${name}/x.x.x`,
        arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
      });
    return new ImageComponent(arn, name, parameters);
  }

  /** Shell lines. The name is part of the component's, and must differ from those of others. */
  public static commands(name: string, commands: ImageCommands): ImageComponent {
    const { install, validate = [], test = [] } = commands;
    const phases = { build: install, validate, test };
    const steps = Object.entries(phases).filter(([, lines]) => lines.length > 0);
    return ImageComponent.document(name, document(name, name, Object.fromEntries(steps.map(([phase, lines]) => [phase, [bash(name, ...lines)]]))));
  }

  /** A document of the component framework (EC2 Image Builder user guide, "Use the AWSTOE component document framework"), in YAML or JSON. */
  public static document(name: string, data: string): ImageComponent {
    if (!/^[A-Za-z0-9][\w-]{0,40}$/.test(name)) throw new Error(`image.components: "${name}" can't name a component; use letters, digits, _ and -`);
    return new ImageComponent((scope) => made(scope, name, data), data, {});
  }

  private constructor(
    private readonly arnIn: (scope: Construct) => string,
    private readonly content: string,
    private readonly parameters: { [name: string]: string },
  ) {}

  /**
   * As the recipe names it.
   * @internal
   */
  public _bind(scope: Construct): { componentArn: string; parameters?: { name: string; value: string[] }[] } {
    const parameters = Object.entries(this.parameters).map(([name, value]) => ({ name, value: [value] }));
    return { componentArn: this.arnIn(scope), ...(parameters.length > 0 ? { parameters } : {}) };
  }

  /**
   * What makes it another one: a recipe can't change under its name.
   * @internal
   */
  public get _identity(): unknown {
    return [this.content, this.parameters];
  }
}

/** Tokens are numbered anew in each synthesis. */
function withoutTokens(text: string): string {
  return text.replaceAll(/\$\{Token\[[^\]]+\]\}/g, '');
}

function made(scope: Construct, id: string, data: string): string {
  const name = `${stableName(scope).replaceAll('/', '-')}-${id}-${digest(withoutTokens(data))}`;
  return new CfnComponent(scope, `Own${id}`, { name, version: '1.0.0', platform: 'Linux', supportedOsVersions: ['Amazon Linux 2023'], data }).attrArn;
}
