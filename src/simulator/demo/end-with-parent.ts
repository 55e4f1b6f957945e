// Preloaded into the Node-RED that `npm start` runs: when its parent goes away, however it goes,
// the channel to it closes and Node-RED ends too.
process.on('disconnect', () => process.exit(1));
process.channel?.unref();
