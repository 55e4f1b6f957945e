// Writes the licences of everything that runs on a user's machine into docs/licences.md, between its two markers, and fails
// when a licence is not on the list of licences.ts: npm run licences
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { notAllowed, withLicences } from './licences.ts';
import { readLock, runtimePackages } from './runtime-packages.ts';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const packages = runtimePackages(readLock(root));
const faults = notAllowed(packages);
if (faults.length > 0) {
  console.error(
    `These licences are not on the list in scripts/supply-chain/licences.ts:\n${faults.join('\n')}`
  );
  process.exitCode = 1;
} else {
  const document = path.join(root, 'docs', 'licences.md');
  writeFileSync(document, withLicences(readFileSync(document, 'utf8'), packages));
  console.log(`docs/licences.md names ${packages.length} packages.`);
}
