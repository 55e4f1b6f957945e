// Builds dist/: TypeScript by tsc, then the files that Node-RED expects beside each node file (html, locales,
// icons), with forms, scripts and help joined. Everything in dist/ is generated.
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildDialogs } from './dialogs.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const dist = path.join(root, 'dist');
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');

rmSync(dist, { recursive: true, force: true });
// The second run emits the types of events, which flows in TypeScript can import.
for (const project of ['tsconfig.json', 'tsconfig.types.json'])
  execFileSync(process.execPath, [tsc, '-p', path.join(root, project)], { stdio: 'inherit', cwd: root });

cpSync(path.join(root, 'nodes'), path.join(dist, 'nodes'), {
  recursive: true,
  // Node-RED reads only its locales folder.
  filter: (source) => {
    const [folder, ...below] = path.relative(path.join(root, 'nodes'), source).split(path.sep);
    return folder === 'locales' || (below.length === 0 && (folder === '' || folder.endsWith('.html')));
  }
});
await buildDialogs(path.join(root, 'nodes'), path.join(dist, 'nodes'));
cpSync(path.join(root, 'icons'), path.join(dist, 'nodes', 'icons'), { recursive: true });

// Node-RED serves this folder to the editor, which loads the script when a waveform is first shown.
const resources = path.join(root, 'resources', 'wavesurfer');
const wavesurfer = path.join(root, 'node_modules', 'wavesurfer.js');
rmSync(path.join(root, 'resources'), { recursive: true, force: true });
if (existsSync(wavesurfer)) {
  mkdirSync(resources, { recursive: true });
  cpSync(path.join(wavesurfer, 'dist', 'wavesurfer.min.js'), path.join(resources, 'wavesurfer.min.js'));
  cpSync(path.join(wavesurfer, 'LICENSE'), path.join(resources, 'LICENSE'));
} else console.warn('wavesurfer.js is not installed, so recordings have no waveform. Run npm install.');

for (const room of ['evidence', 'simulator']) {
  const cli = path.join(dist, 'src', room, 'cli', 'cli.js');
  if (existsSync(cli)) chmodSync(cli, 0o755);
}
