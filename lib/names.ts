/** Names of what is made, that stay when an environment moves within an app, into a pipeline for example: they begin at the stack. */
import { Fn, Stack, Token } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** The name of the stack and the path of the construct within it, `ftps-prod/Service/Image`. */
export function stableName(construct: IConstruct): string {
  const stack = Stack.of(construct);
  const start = Token.isUnresolved(stack.stackName) ? stack.node.path : stack.stackName;
  return `${start}${construct.node.path.slice(stack.node.path.length)}`;
}

/**
 * A part for names of what is kept when its stack is deleted: differs each time that a stack is made, so that the next one of the same name
 * does not meet what the one before left. The beginning of the unique id at the end of the stack's own.
 */
export function ofThisStack(construct: IConstruct): string {
  return Fn.select(0, Fn.split('-', Fn.select(2, Fn.split('/', Stack.of(construct).stackId))));
}
