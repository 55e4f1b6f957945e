// A node file without nodes, for tests only: writes down each message at the moment it leaves a webhook
// node. Unlike nodes of the flow it is not restarted by a deploy, so it loses nothing.
'use strict';
const fs = require('node:fs');
const path = require('node:path');

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
};
