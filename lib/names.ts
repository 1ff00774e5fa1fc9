/** Names of what is made, that stay when an environment moves within an app, into a pipeline for example: they begin at the stack. */
import { Stack, Token } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** The name of the stack and the path of the construct within it, `ftps-prod/Service/Image`. */
export function stableName(construct: IConstruct): string {
  const stack = Stack.of(construct);
  const start = Token.isUnresolved(stack.stackName) ? stack.node.path : stack.stackName;
  return `${start}${construct.node.path.slice(stack.node.path.length)}`;
}
