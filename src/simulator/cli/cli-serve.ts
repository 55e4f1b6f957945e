import { once } from 'node:events';
import type { ServeOptions } from './cli-options';
import type { Print } from './print';

/**
 * Serves made-up recordings and the recordings API until the signal fires.
 *
 * @throws Error when the port is taken
 */
export async function serve(options: ServeOptions, print: Print, signal: AbortSignal): Promise<void> {
  const standIn = options.standIn.open(options);
  standIn.fill(options.recordings, options.seconds);
  await standIn.start();
  print(`API address  ${standIn.apiUrl}`);
  print(`API key      ${standIn.apiKey}`);
  print(standIn.proofLine);
  print(`Recordings   ${options.recordings}`);
  print('Serving until Ctrl-C.');
  try {
    if (!signal.aborted) await once(signal, 'abort');
  } finally {
    await standIn.stop();
  }
}
