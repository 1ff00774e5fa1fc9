/** Loaded into the server before it starts: measures it from within when the test asks, after a full collection of garbage. Not its workers. */
// Lines of the audit are gathered for some milliseconds, the last of a session too: that timer is no leak.
const SETTLED_MS = 50;

function measure() {
  global.gc();
  global.gc();
  const { heapUsed, arrayBuffers, external, rss } = process.memoryUsage();
  const resources = {};
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
  process.send({ heapUsed, arrayBuffers, external, rss, resources });
}

if (require('node:cluster').isPrimary) {
  process.on('message', (message) => {
    if (message === 'measure') setTimeout(measure, SETTLED_MS);
  });
  process.channel?.unref();
}
