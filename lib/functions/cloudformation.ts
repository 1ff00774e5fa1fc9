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
    (error: Error) => failed(common, error),
  );
  const response = await fetch(request.ResponseURL, { method: 'PUT', headers: { 'content-type': '' }, body: JSON.stringify(answer) });
  if (!response.ok) throw new Error(`CloudFormation did not take the answer: ${response.status}`);
}

/** Most bytes of an answer; of a longer one CloudFormation says that it is too long, and nothing of what is in it (CloudFormation template reference, "Custom resource response objects"). */
const LARGEST = 4_096;

/** With as much of the reason as there is room for: that of a refused request to EC2 has a message of its own encoded in it. There has to be one, and some errors say nothing but their name. */
function failed(common: object, { name, message }: Error): object {
  let Reason = message || name;
  const answer = () => ({ ...common, Status: 'FAILED', Reason });
  while (Buffer.byteLength(JSON.stringify(answer())) > LARGEST) Reason = `${Reason.slice(0, Math.floor(Reason.length * 0.9))}…`;
  return answer();
}
