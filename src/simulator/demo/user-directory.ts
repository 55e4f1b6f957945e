import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/**
 * Creates a Node-RED user directory. Existing files stay unchanged: in a kept directory they belong to the
 * user.
 *
 * @param directory absolute path
 * @param stockSettings path of Node-RED's own settings.js
 * @param flow content of flows.json
 * @param globals what its global context begins with
 */
export function prepareUserDirectory(
  directory: string,
  stockSettings: string,
  flow: string,
  globals: Record<string, unknown> = {}
): void {
  mkdirSync(directory, { recursive: true });
  writeNew(path.join(directory, 'settings.js'), settings(stockSettings, globals));
  writeNew(path.join(directory, 'flows.json'), flow);
  const manifest = {
    name: 'node-red-project',
    description: 'A Node-RED Project',
    version: '0.0.1',
    private: true
  };
  writeNew(path.join(directory, 'package.json'), `${JSON.stringify(manifest, null, 4)}\n`);
}

/** Node-RED's settings as shipped, apart from what would ask questions or leave this machine. */
function settings(stockSettings: string, globals: Record<string, unknown>): string {
  return `const stock = require(${JSON.stringify(stockSettings)});

module.exports = {
    ...stock,
    uiHost: '127.0.0.1',
    credentialSecret: '${randomBytes(24).toString('hex')}',
    functionGlobalContext: ${JSON.stringify(globals)},
    telemetry: { enabled: false, updateNotification: false },
    editorTheme: { ...stock.editorTheme, tours: false }
};
`;
}

function writeNew(file: string, content: string): void {
  if (!existsSync(file)) writeFileSync(file, content, { mode: 0o600 });
}
