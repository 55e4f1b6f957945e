// Preloaded into every process that a test starts: when the test runner ends in any way, the channel to it
// closes and the child ends, too. Nothing stays behind, not even after a SIGKILL.
'use strict';
const process = require('node:process');

process.on('disconnect', () => process.exit(1));
process.channel?.unref();
