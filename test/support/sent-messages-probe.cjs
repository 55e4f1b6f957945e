// A node file only for tests. It records each message when a webhook node sends it: unlike a node of the flow,
// a deploy does not restart it, so it loses nothing. Its only node type closes slowly, like nodes with
// connections, which makes the gap in a deploy long enough to test.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { setTimeout } = require('node:timers');

module.exports = function (RED) {
  const file = path.join(RED.settings.userDir, 'sent.jsonl');
  RED.hooks.add('onSend.test-probe', (events) => {
    for (const { msg, source } of events) {
      if (source.node.type !== 'telnyx-webhook-in') continue;
      const line = {
        _msgid: msg._msgid,
        topic: msg.topic,
        event: msg.event,
        from: source.id,
        port: source.port
      };
      fs.appendFileSync(file, `${JSON.stringify(line)}\n`);
    }
  });

  function SlowClose(config) {
    RED.nodes.createNode(this, config);
    // A node that closes slowly, so that a deploy is long enough to send deliveries into it.
    this.on('close', (done) => setTimeout(done, 80));
  }
  RED.nodes.registerType('test-slow-close', SlowClose);
};
