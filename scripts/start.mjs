// `npm start`: builds the package if needed, then runs the demonstration (src/simulator/demo).
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const built = path.join(root, 'dist', 'src', 'simulator', 'demo', 'main.js');
const require = createRequire(import.meta.url);

if (!existsSync(built) || newest(['src', 'nodes', 'icons', 'tsconfig.json']) > statSync(built).mtimeMs) {
  console.log('- Building the package …');
  execFileSync(process.execPath, [path.join(root, 'scripts', 'build.mjs')], { stdio: 'inherit' });
}
const { main } = require(built);
process.exitCode = await main(process.argv.slice(2), root, require.resolve('node-red/package.json'));

/** Time of the latest change to any of the files, in milliseconds. */
function newest(names) {
  const files = names.flatMap((name) => {
    const place = path.join(root, name);
    if (!statSync(place).isDirectory()) return [place];
    return readdirSync(place, { recursive: true }).map((file) => path.join(place, file));
  });
  return Math.max(...files.map((file) => statSync(file).mtimeMs));
}
