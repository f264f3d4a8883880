const { setTimeout: sleep } = require('node:timers/promises');
const { TestEnvironment } = require('jest-environment-node');

/** What keeps a process alive, in the words of process.getActiveResourcesInfo(), and must not outlive a test file. */
const WATCHED = ['ProcessWrap', 'PipeWrap', 'TCPServerWrap', 'TCPSocketWrap', 'UDPWrap'];
// In a jest worker they are pipes, made when they are first used: that is no test file's doing.
void [process.stdout, process.stderr];

/** A closed socket takes a moment to go. */
const PATIENCE_MS = 2_000;

function countOpen() {
  const open = process.getActiveResourcesInfo();
  return WATCHED.map((kind) => ({ kind, count: open.filter((one) => one === kind).length }));
}

/** Fails a test file that leaves child processes, sockets or servers behind, even if all its tests passed. */
module.exports = class LeakEnvironment extends TestEnvironment {
  async setup() {
    await super.setup();
    this.before = countOpen();
  }

  async teardown() {
    const leaks = await this.leaks();
    await super.teardown();
    if (leaks.length > 0) throw new Error(`This test file left open: ${leaks.join(', ')}`);
  }

  async leaks() {
    const giveUpAt = performance.now() + PATIENCE_MS;
    for (;;) {
      const more = countOpen()
        .map(({ kind, count }, index) => ({ kind, count: count - this.before[index].count }))
        .filter(({ count }) => count > 0);
      if (more.length === 0 || performance.now() > giveUpAt) return more.map(({ kind, count }) => `${count} ${kind}`);
      await sleep(20);
    }
  }
};
