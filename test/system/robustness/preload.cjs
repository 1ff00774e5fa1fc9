/** Loaded into the server before it starts: measures it from within when the test asks, after a full collection of garbage. Not its workers. */
if (require('node:cluster').isPrimary) {
  process.on('message', (message) => {
    if (message !== 'measure') return;
    global.gc();
    global.gc();
    const { heapUsed, arrayBuffers, external, rss } = process.memoryUsage();
    const resources = {};
    for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
    process.send({ heapUsed, arrayBuffers, external, rss, resources });
  });
  process.channel?.unref();
}
