/** What an instance finds around it: its metadata (IMDSv2), and the AWS APIs, by a Unix socket to where they are. usage: edge.mjs SETTINGS */
import { appendFileSync, readFileSync } from 'node:fs';
import http from 'node:http';

const { metadata, apis, told } = JSON.parse(readFileSync(process.argv[2], 'utf8'));

http
  .createServer((request, response) => {
    if (request.method === 'PUT' && request.url === '/latest/api/token') return response.end('token');
    if (request.headers['x-aws-ec2-metadata-token'] !== 'token') return response.writeHead(401).end();
    const value = metadata[request.url.replace('/latest/meta-data/', '')];
    return value === undefined ? response.writeHead(404).end() : response.end(value);
  })
  .listen(80, '169.254.169.254');

http
  .createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    // Hooks of an Auto Scaling group, which moto does not know.
    if (request.url === '/complete-lifecycle-action') {
      appendFileSync(told, `${body}\n`);
      return response.end();
    }
    const { url: path, method, headers } = request;
    const onward = http.request({ socketPath: apis, path, method, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    return onward.end(body);
  })
  .listen(4566, '127.0.0.1');
