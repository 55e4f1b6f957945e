import { homedir } from 'node:os';
import path from 'node:path';
import type { NodeRedApi } from './node-red';

/** Node-RED's user directory, absolute; the one it takes by itself where its settings name none. */
export function userDirectory({ settings }: Pick<NodeRedApi, 'settings'>): string {
  return path.resolve(settings.userDir ?? path.join(homedir(), '.node-red'));
}
