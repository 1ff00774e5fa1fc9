/** One key for whatever is encrypted below a construct, found by where something lies: parts within parts need no word of it. */
import { Stack, Token } from 'aws-cdk-lib';
import { type IKey, Key, type KeyProps } from 'aws-cdk-lib/aws-kms';
import type { Construct, IConstruct } from 'constructs';

const given = new WeakMap<IConstruct, IKey>();

/** Has everything below this construct encrypted by this key, where nothing nearer has one of its own. */
export function encryptBelow(scope: IConstruct, key: IKey | undefined): void {
  if (key === undefined) return;
  if ('aliasName' in key) throw new Error('encryptionKey: is an alias, and policies know keys alone; give the key itself, by Key.fromLookup or Key.fromKeyArn');
  const [there, here] = [key.env.region, Stack.of(scope).region];
  if (!Token.isUnresolved(there) && !Token.isUnresolved(here) && there !== here)
    throw new Error(`encryptionKey: lies in ${there}, and what it is to encrypt in ${here}; AWS services take keys of their own region alone`);
  given.set(scope, key);
}

/** The key of the nearest construct that was given one. */
export function givenKey(scope: IConstruct): IKey | undefined {
  const owner = [...scope.node.scopes].reverse().find((one) => given.has(one));
  return owner && given.get(owner);
}

/** That key, or a new one, rotated once a year. */
export function keyFor(scope: Construct, id: string, props: KeyProps): IKey {
  return givenKey(scope) ?? new Key(scope, id, { enableKeyRotation: true, ...props });
}
