// Preloaded into a process that is to count as one of another container: its numbers of processes say nothing of others.
'use strict';
const fs = require('node:fs');

const { readlinkSync } = fs;
fs.readlinkSync = (file, ...rest) =>
  file === '/proc/self/ns/pid' ? 'pid:[4026530000]' : readlinkSync(file, ...rest);
