// A node file for tests only. It records each message of a webhook node at the moment when the node that it is wired to
// has it, before that node does anything that a deploy could cut short. Its one node type takes its time to close, as
// nodes with connections do; the gap in a deploy is then long enough to be met.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const process = require('node:process');
const { setTimeout } = require('node:timers');

module.exports = function (RED) {
  const file = path.join(RED.settings.userDir, 'received.jsonl');
  RED.hooks.add('postReceive.test-probe', ({ msg, destination: { id, node } }) => {
    // The hook runs also for a node that is closed and takes nothing.
    const takes = Boolean(node._inputCallback ?? node._inputCallbacks);
    if (!takes || !/^(?:sub-)?seen(?:-\d)?$/.test(id)) return;
    const line = process.env.TEST_RECEIVED_IDS
      ? shortLine(id, msg)
      : { _msgid: msg._msgid, topic: msg.topic, event: msg.event, at: id };
    fs.appendFileSync(file, `${JSON.stringify(line)}\n`);
  });

  /** For runs with many messages: when which of them arrived where, and what a download node says of its file. */
  function shortLine(at, { event, recording, error }) {
    const { recording_id, key, sha256, already_stored } = recording ?? {};
    const stored = recording && { id: recording_id, key, sha256, already_stored };
    return {
      at,
      id: event?.id,
      recovered: event?.recovered || undefined,
      time: Date.now(),
      stored,
      error: error?.message
    };
  }

  function SlowClose(config) {
    RED.nodes.createNode(this, config);
    // A node that takes its time to close, so that a deploy is long enough to send into.
    this.on('close', (done) => setTimeout(done, 80));
  }
  RED.nodes.registerType('test-slow-close', SlowClose);
};
