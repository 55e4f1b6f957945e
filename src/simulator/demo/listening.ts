import { existsSync } from 'node:fs';
import path from 'node:path';
import type { DemoOptions } from './demo-options';
import { type DemoDeps, START_MS } from './demonstration';
import { prepareExample } from './example-flow';
import { freePort } from './free-port';
import type { NodeRedChild } from './node-red-child';
import { installPackage } from './package-install';
import { step } from './steps';
import { prepareUserDirectory } from './user-directory';

/**
 * Starts a Node-RED that waits for the real Telnyx, in a folder that is kept: recordings of real
 * calls are never deleted.
 *
 * @returns the running Node-RED
 * @throws Error when the port is taken or Node-RED does not start
 */
export async function listen(
  options: DemoOptions,
  { places, workshop, print }: DemoDeps,
  signal: AbortSignal
): Promise<NodeRedChild> {
  const port = await freePort(options.port);
  // On later starts the flow is the user's own, so its path and folder count.
  const kept = path.join(options.directory, 'flows.json');
  const flow = prepareExample([existsSync(kept) ? kept : places.telnyxExample], null);
  prepareUserDirectory(options.directory, places.stockSettings, flow.json);
  await step(print, `Installing the package into ${options.directory}`, () =>
    installPackage(places.repository, options.directory, signal)
  );
  const nodeRed = workshop.startNodeRed({
    program: places.nodeRed,
    userDir: options.directory,
    port,
    env: process.env
  });
  await step(print, 'Starting Node-RED', async () => {
    await nodeRed.started(START_MS, signal);
    return `the flow listens at ${nodeRed.url}${flow.webhookPath}`;
  });
  print(`- Recordings go to ${path.resolve(options.directory, flow.recordingsFolder)}`);
  print('Telnyx must reach this address from the internet:');
  print(`  1. open a tunnel to port ${port} of this machine, for example with cloudflared or ngrok`);
  print(`  2. in the Telnyx portal, set the webhook URL to the tunnel's https address + ${flow.webhookPath}`);
  return nodeRed;
}
