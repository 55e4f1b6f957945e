import { packOnce } from './packed-package';

/**
 * For `mocha --require`: packs and installs the package before the first test, once for all processes of the run. Without
 * this, each process does so itself when it needs the package.
 */
export function mochaGlobalSetup(): void {
  packOnce();
}
