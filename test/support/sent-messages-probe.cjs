// A node file for tests only. It writes down each message at the moment it leaves a webhook node: unlike
// a node of the flow it is not restarted by a deploy, so it loses nothing. Its one node type takes its
// time to close, as nodes with connections do; the gap in a deploy is then long enough to be met.
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
    // A node that takes its time to close, so that a deploy is long enough to send into.
    this.on('close', (done) => setTimeout(done, 80));
  }
  RED.nodes.registerType('test-slow-close', SlowClose);
};
