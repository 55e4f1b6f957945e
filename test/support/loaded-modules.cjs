// Preloaded into Node-RED: on SIGCONT, it writes the files of all modules that are loaded to the file in the environment variable.
'use strict';
const { renameSync, writeFileSync } = require('node:fs');
const process = require('node:process');

const file = process.env.LOADED_MODULES_FILE;

process.on('SIGCONT', () => {
  writeFileSync(`${file}.new`, Object.keys(require.cache).join('\n'));
  renameSync(`${file}.new`, file);
});
