/** Runs a Lambda whenever instances of a group come or go, and every few minutes, since events are best effort. */
import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';

export interface GroupEventsProps {
  readonly groupName: string;
  readonly lambda: IFunction;
}

export class GroupEvents extends Construct {
  constructor(scope: Construct, id: string, { groupName, lambda }: GroupEventsProps) {
    super(scope, id);
    const targets = [new LambdaFunction(lambda, { retryAttempts: 4 })];
    new Rule(this, 'ComeAndGo', {
      description: 'FTPS instances come and go',
      eventPattern: {
        source: ['aws.autoscaling'],
        detailType: [
          'EC2 Instance-launch Lifecycle Action',
          'EC2 Instance Launch Successful',
          'EC2 Instance-terminate Lifecycle Action',
          'EC2 Instance Terminate Successful',
        ],
        detail: { AutoScalingGroupName: [groupName] },
      },
      targets,
    });
    new Rule(this, 'Regularly', { description: 'Looks after FTPS instances, whatever events came', schedule: Schedule.rate(Duration.minutes(5)), targets });
  }
}
