import { once } from 'node:events';
import type { ServeOptions } from './cli-options';
import { DailyStandIn } from '../daily/daily-stand-in';
import { dailyKeysFromFile, keyFromFile } from './key-file';
import type { Print } from './print';
import { TelnyxStandIn } from '../stand-in';

/**
 * Serves made-up recordings and the recordings API until the signal fires.
 *
 * @throws Error when the port is taken
 */
export async function serve(options: ServeOptions, print: Print, signal: AbortSignal): Promise<void> {
  const standIn = options.provider === 'daily' ? dailyStandIn(options) : telnyxStandIn(options);
  await standIn.start();
  print(`API address  ${standIn.apiUrl}`);
  print(`API key      ${standIn.apiKey}`);
  print(
    standIn instanceof DailyStandIn
      ? `Secret       ${standIn.secret.hmac}`
      : `Public key   ${standIn.publicKey}`
  );
  print(`Recordings   ${options.recordings}`);
  print('Serving until Ctrl-C.');
  try {
    if (!signal.aborted) await once(signal, 'abort');
  } finally {
    await standIn.stop();
  }
}

function dailyStandIn({ host, port, keyFile, recordings, seconds }: ServeOptions): DailyStandIn {
  const standIn = new DailyStandIn({ host, port, ...dailyKeysFromFile(keyFile) });
  for (let n = 0; n < recordings; n++) standIn.addRecording({ seconds });
  return standIn;
}

function telnyxStandIn(options: ServeOptions): TelnyxStandIn {
  const standIn = new TelnyxStandIn({
    host: options.host,
    port: options.port,
    key: keyFromFile(options.keyFile)
  });
  for (let n = 0; n < options.recordings; n++) {
    standIn.addRecording({ seconds: options.seconds, formats: [n % 2 === 0 ? 'mp3' : 'wav'] });
  }
  return standIn;
}
