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

/** Attributes of the resource; `physicalId` is its name, where it has one: another name replaces it, and CloudFormation deletes the old one when all went well. */
export type Attributes = Readonly<Record<string, string>> & { readonly physicalId?: string };

/** Does the work and tells CloudFormation how it went. */
export async function answerCloudFormation(request: CloudFormationRequest, work: () => Promise<Attributes | undefined>): Promise<void> {
  const { StackId, RequestId, LogicalResourceId, PhysicalResourceId = LogicalResourceId } = request;
  const common = { StackId, RequestId, LogicalResourceId, PhysicalResourceId };
  const answer = await work().then(
    ({ physicalId = PhysicalResourceId, ...Data } = {}) => ({ ...common, PhysicalResourceId: physicalId, Status: 'SUCCESS', Data }),
    (error: Error) => ({ ...common, Status: 'FAILED', Reason: error.message }),
  );
  const response = await fetch(request.ResponseURL, { method: 'PUT', headers: { 'content-type': '' }, body: JSON.stringify(answer) });
  if (!response.ok) throw new Error(`CloudFormation did not take the answer: ${response.status}`);
}
