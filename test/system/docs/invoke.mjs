// Lambda's API for one function, the rotation as it is deployed: whoever invokes it gets what the built handler answers.
// usage: node invoke.mjs HANDLER, with the environment of the function; prints its port
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const { handler } = createRequire(import.meta.url)(process.argv[2]);
const server = createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  try {
    response.end(JSON.stringify(await handler(JSON.parse(body || '{}'))));
  } catch (error) {
    response.setHeader('x-amz-function-error', 'Unhandled').end(JSON.stringify({ errorMessage: error.message }));
  }
});
server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`));
