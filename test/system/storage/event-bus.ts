/** EventBridge of moto, which checks what it is sent, behind a door that keeps what it took. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface EventBus {
  /** For AWS_ENDPOINT_URL_EVENTBRIDGE. */
  readonly endpoint: string;
  /** Source, type and detail of the events that were taken. */
  events: Record<string, unknown>[];
  /** Has the sender refused, as one without permission is. */
  refuse: boolean;
  close(): void;
}

export async function startEventBus(moto: string): Promise<EventBus> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (bus.refuse)
      return void response
        .writeHead(400, { 'content-type': 'application/x-amz-json-1.1' })
        .end('{"__type":"AccessDeniedException","Message":"not authorized to perform: events:PutEvents"}');
    const { host: _h, connection: _c, 'content-length': _l, 'transfer-encoding': _t, expect: _e, ...headers } = request.headers;
    const answer = await fetch(moto, { method: 'POST', headers: headers as Record<string, string>, body: Buffer.concat(chunks) });
    const text = await answer.text();
    if (answer.ok && JSON.parse(text).FailedEntryCount === 0)
      for (const { Source, DetailType, Detail } of JSON.parse(Buffer.concat(chunks).toString()).Entries)
        bus.events.push({ Source, DetailType, ...JSON.parse(Detail) });
    response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.1' }).end(text);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bus: EventBus = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    events: [],
    refuse: false,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
  return bus;
}
