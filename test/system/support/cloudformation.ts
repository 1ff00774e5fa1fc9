/** CloudFormation as a custom resource meets it: an address that takes its answer. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Answer {
  readonly Status: string;
  readonly Data: Readonly<Record<string, string>>;
}

export interface Stack {
  /** What has been answered, in order. */
  readonly answers: readonly Answer[];
  /** A request of this type to the Lambda of the resource. */
  request(RequestType: 'Create' | 'Update' | 'Delete', ResourceProperties?: Record<string, string>): object;
  close(): void;
}

export async function awaitAnswers(): Promise<Stack> {
  const answers: Answer[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    answers.push(JSON.parse(body));
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const ResponseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return {
    answers,
    request: (RequestType, ResourceProperties = {}) => ({ RequestType, ResponseURL, StackId: 's', RequestId: 'r', LogicalResourceId: 'l', ResourceProperties }),
    close: () => server.close(),
  };
}
