/** Which machines serve: the type of the instances and their processor, which must agree. */
import { Token } from 'aws-cdk-lib';
import { InstanceArchitecture, InstanceType } from 'aws-cdk-lib/aws-ec2';
import { Processor } from '../image/server-image';

export interface Machine {
  readonly instanceType: InstanceType;
  readonly processor: Processor;
}

/** Of either alone the other follows; of neither, both are those of Graviton. Throws an Error where they contradict. */
export function machineOf({ instanceType, processor }: Partial<Machine>): Machine {
  if (!instanceType || Token.isUnresolved(instanceType.toString()))
    return {
      instanceType: instanceType ?? new InstanceType(processor === Processor.X86_64 ? 'c7i.large' : 'c7g.large'),
      processor: processor ?? Processor.ARM64,
    };
  const itsOwn = instanceType.architecture === InstanceArchitecture.X86_64 ? Processor.X86_64 : Processor.ARM64;
  if (processor !== undefined && processor !== itsOwn)
    throw new Error(`processor: ${processor} is not that of ${instanceType}, which is ${itsOwn}; leave processor out, or take another instanceType`);
  return { instanceType, processor: itsOwn };
}
