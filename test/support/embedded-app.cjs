// A custom Express application that embeds Node-RED, as in Node-RED's documentation, with a body parser before
// everything else.
'use strict';
const console = require('node:console');
const http = require('node:http');
const { createRequire } = require('node:module');
const path = require('node:path');
const process = require('node:process');

const [, , userDir, port, nodeRed] = process.argv;
const RED = require(nodeRed);
const express = createRequire(require.resolve(nodeRed))('express');
const settings = { ...require(path.join(userDir, 'settings.js')), userDir };

const app = express();
app.use(express.json());
app.use(express.urlencoded({ extended: true }));
app.use('/api', (req, res, next) => {
  if (req.headers['x-blocked'] === undefined) next();
  else res.sendStatus(403);
});
app.post('/own', (req, res) => res.json({ parsed: req.body }));

const server = http.createServer(app);
RED.init(server, settings);
app.use(settings.httpAdminRoot, RED.httpAdmin);
app.use(settings.httpNodeRoot, RED.httpNode);
server.listen(Number(port), '127.0.0.1', () => console.log(`Server now running at port ${port}`));
RED.start();

process.on('SIGTERM', () => RED.stop().then(() => process.exit()));
