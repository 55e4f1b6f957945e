import { once } from 'node:events';
import type { ServeOptions } from './cli-options';
import { keyFromFile } from './key-file';
import type { Print } from './print';
import { TelnyxStandIn } from './stand-in';

/**
 * Serves made-up recordings and the recordings API until the signal fires.
 *
 * @throws Error when the port is taken
 */
export async function serve(options: ServeOptions, print: Print, signal: AbortSignal): Promise<void> {
  const standIn = new TelnyxStandIn({
    host: options.host,
    port: options.port,
    key: keyFromFile(options.keyFile)
  });
  for (let n = 0; n < options.recordings; n++) {
    standIn.addRecording({ seconds: options.seconds, formats: [n % 2 === 0 ? 'mp3' : 'wav'] });
  }
  await standIn.start();
  print(`API address  ${standIn.apiUrl}`);
  print(`API key      ${standIn.apiKey}`);
  print(`Public key   ${standIn.publicKey}`);
  print(`Recordings   ${options.recordings}`);
  print('Serving until Ctrl-C.');
  try {
    if (!signal.aborted) await once(signal, 'abort');
  } finally {
    await standIn.stop();
  }
}
