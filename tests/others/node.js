// rsig in a Node process, whose event loop (libuv) has signal handlers of its own. RSIG_ADDON is what node.c was compiled to.
// Without arguments it lists its cases, with a name it runs that one.
'use strict';
const assert = require('node:assert');
const { once } = require('node:events');
const { spawn, spawnSync } = require('node:child_process');
const { Worker } = require('node:worker_threads');
const rsig = require(process.env.RSIG_ADDON);
const { SIGUSR2, SIGTERM, SIGCHLD } = require('node:os').constants.signals;

const [DEFAULT, , FOREIGN, OURS] = [0, 1, 2, 3];

function ok(result) {
  assert(result >= 0, `rsig: ${result}`);
  return result;
}

// Node's own listener has been called when this is over.
async function sendToNode() {
  const heard = once(process, 'SIGUSR2');
  process.kill(process.pid, 'SIGUSR2');
  await heard;
}

const cases = {
  // Node's listener and a channel both hear.
  async beneath_a_channel() {
    let calls = 0;
    process.on('SIGUSR2', () => calls++);
    ok(rsig.init());
    const channel = ok(rsig.channelOpen(SIGUSR2));
    for (let i = 1; i <= 3; i++) {
      await sendToNode();
      assert.strictEqual(calls, i);
      assert.strictEqual(rsig.channelRead(channel), 1);
    }
    ok(rsig.channelClose(channel));
    await sendToNode();
    assert.strictEqual(calls, 4);
    ok(rsig.fini());
    await sendToNode();
    assert.strictEqual(calls, 5);
  },

  // A channel that Node's listener has displaced hears again when another is opened.
  async above_a_channel() {
    ok(rsig.init());
    const first = ok(rsig.channelOpen(SIGUSR2));
    process.on('SIGUSR2', () => {});
    assert.strictEqual(rsig.owner(SIGUSR2), FOREIGN);
    await sendToNode();
    assert.strictEqual(rsig.channelRead(first), 0);
    const second = ok(rsig.channelOpen(SIGUSR2));
    await sendToNode();
    assert.strictEqual(rsig.channelRead(first), 1);
    assert.strictEqual(rsig.channelRead(second), 1);
    ok(rsig.fini());
    await sendToNode();
  },

  // When Node's last listener goes, libuv gives the signal its default action, and rsig tells so.
  async listener_goes() {
    const listener = () => {};
    process.on('SIGUSR2', listener);
    ok(rsig.init());
    const first = ok(rsig.channelOpen(SIGUSR2));
    await sendToNode();
    process.off('SIGUSR2', listener);
    assert.strictEqual(rsig.owner(SIGUSR2), DEFAULT);
    const second = ok(rsig.channelOpen(SIGUSR2));
    process.kill(process.pid, 'SIGUSR2');
    assert.strictEqual(rsig.channelRead(first), 2);
    assert.strictEqual(rsig.channelRead(second), 1);
    ok(rsig.fini());
    assert.strictEqual(spawnSync(process.execPath, ['-e', '0']).status, 0);
  },

  // A JavaScript function as rsig's handler; what it throws arrives at the caller of the pump; Node's listener comes back.
  async handler_in_javascript() {
    process.on('SIGUSR2', () => {});
    ok(rsig.init());
    const calls = [];
    ok(rsig.setHandler(SIGUSR2, (signum, pid) => {
      calls.push([signum, pid]);
      if (calls.length === 2) throw new Error('refused');
    }));
    assert.strictEqual(rsig.owner(SIGUSR2), OURS);
    process.kill(process.pid, 'SIGUSR2');
    assert.strictEqual(rsig.pump(), 1);
    process.kill(process.pid, 'SIGUSR2');
    assert.throws(() => rsig.pump(), /refused/);
    assert.deepStrictEqual(calls, [[SIGUSR2, process.pid], [SIGUSR2, process.pid]]);
    ok(rsig.fini());
    await sendToNode();
  },

  // Node hears of its children's ends beside a channel for SIGCHLD.
  async children() {
    // libuv takes the signal with the first child, and gives it its default action with the end of the last one.
    const first = spawn('cat');
    ok(rsig.init());
    const channel = ok(rsig.channelOpen(SIGCHLD));
    const [status] = await once(spawn('false'), 'exit');
    assert.strictEqual(status, 1);
    assert.strictEqual(rsig.channelRead(channel), 1);
    ok(rsig.fini());
    const [again] = await once(spawn('false'), 'exit');
    assert.strictEqual(again, 1);
    first.stdin.end();
    await once(first, 'exit');
  },

  // A worker thread may open a channel too, and signals that Node's main thread gets reach it.
  async worker() {
    process.on('SIGUSR2', () => {});
    ok(rsig.init());
    const worker = new Worker(`
      const { parentPort } = require('node:worker_threads');
      const rsig = require(process.env.RSIG_ADDON);
      const channel = rsig.channelOpen(${SIGUSR2});
      parentPort.postMessage(channel);
      parentPort.once('message', () => {
        parentPort.postMessage(rsig.channelRead(channel));
        rsig.channelClose(channel);
      });`, { eval: true });
    // It can come right behind the last message.
    const exit = once(worker, 'exit');
    const [channel] = await once(worker, 'message');
    ok(channel);
    await sendToNode();
    worker.postMessage('read');
    const [deliveries] = await once(worker, 'message');
    assert.strictEqual(deliveries, 1);
    await exit;
    ok(rsig.fini());
    await sendToNode();
  },

  // Node dies of SIGTERM as before, after rsig has come and gone.
  async default_of_sigterm() {
    const source = `
      const rsig = require(process.env.RSIG_ADDON);
      rsig.init();
      const channel = rsig.channelOpen(${SIGTERM});
      process.kill(process.pid, 'SIGTERM');
      // Twice: Node's own handler is called once, and raises the signal again, to die of it.
      if (rsig.channelRead(channel) !== 2) process.exit(1);
      rsig.fini();
      process.kill(process.pid, 'SIGTERM');
      setInterval(() => {}, 1000);`;
    const { signal, status, stderr } = spawnSync(process.execPath, ['-e', source]);
    assert.strictEqual(signal, 'SIGTERM', `${status} ${stderr}`);
  },
};

const [name] = process.argv.slice(2);
if (name === undefined) {
  console.log(Object.keys(cases).join('\n'));
} else {
  // Listeners to signals alone do not keep Node alive.
  const alive = setInterval(() => {}, 1e9);
  process.exitCode = 1;
  cases[name]().then(() => {
    process.exitCode = 0;
    clearInterval(alive);
  });
}
