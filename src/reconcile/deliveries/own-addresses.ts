import { comparablePath } from '../../webhook/express/route-path';

/**
 * Makes the test whether a delivery was meant for this Node-RED: the log of an account has those of all its addresses.
 *
 * @param wanted text that the address must have in it; blank: one of the paths decides
 * @param paths of this Node-RED's webhook nodes; none, and without a text every address will do
 * @returns takes the addresses that were tried; none, when the log does not tell, will do as well
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
