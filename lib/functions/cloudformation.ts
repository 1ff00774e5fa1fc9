/** A Lambda as a custom resource (CloudFormation user guide, "Custom resource request and response reference"). */

export interface CloudFormationRequest {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  readonly ResponseURL: string;
  readonly StackId: string;
  readonly RequestId: string;
  readonly LogicalResourceId: string;
  readonly PhysicalResourceId?: string;
}

export function isCloudFormation(event: object): event is CloudFormationRequest {
  return 'ResponseURL' in event && 'RequestType' in event;
}

/** Does the work and tells CloudFormation how it went; what the work returns are the attributes of the resource. */
export async function answerCloudFormation(request: CloudFormationRequest, work: () => Promise<Record<string, string> | undefined>): Promise<void> {
  const { StackId, RequestId, LogicalResourceId, PhysicalResourceId = LogicalResourceId } = request;
  const common = { StackId, RequestId, LogicalResourceId, PhysicalResourceId };
  const answer = await work().then(
    (attributes) => ({ ...common, Status: 'SUCCESS', Data: attributes ?? {} }),
    (error: Error) => ({ ...common, Status: 'FAILED', Reason: error.message }),
  );
  const response = await fetch(request.ResponseURL, { method: 'PUT', headers: { 'content-type': '' }, body: JSON.stringify(answer) });
  if (!response.ok) throw new Error(`CloudFormation did not take the answer: ${response.status}`);
}
