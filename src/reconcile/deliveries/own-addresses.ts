import { comparablePath } from '../../webhook/express/route-path';

/**
 * Makes a test for deliveries meant for this Node-RED: the log of an account has those to all its addresses.
 *
 * @param wanted text that the address must contain; if blank, it must end with one of the paths
 * @param paths of this Node-RED's webhook nodes; with neither paths nor text, every address passes
 * @returns a test of the addresses that were tried; it also passes if there are none, because the log lacks them
 */
export function ownAddresses(wanted: string, paths: readonly string[]): (urls: readonly string[]) => boolean {
  const comparable = paths.map(comparablePath);
  // A proxy in front of Node-RED may have put something before the path.
  const isOwn = (url: string): boolean =>
    wanted === ''
      ? comparable.some((path) => comparablePath(url).endsWith(path))
      : url.toLowerCase().includes(wanted.toLowerCase());
  const takesAll = wanted === '' && comparable.length === 0;
  return (urls) => takesAll || urls.length === 0 || urls.some(isOwn);
}
