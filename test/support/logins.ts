import type { NodeRedProcess } from './node-red-process';
import { hash } from './node-red-settings';

const PASSWORD = 'a password of the tests';
const HASH = hash(PASSWORD);

/** As in a settings.js: one who may do everything, one who may read everything, one who may not see recordings. */
export const THREE_USERS = {
  type: 'credentials',
  users: [
    { username: 'admin', password: HASH, permissions: '*' },
    { username: 'reader', password: HASH, permissions: 'read' },
    {
      username: 'guest',
      password: HASH,
      permissions: [
        ...['flows.read', 'nodes.read', 'plugins.read', 'settings.read', 'status.read', 'context.read'],
        ...['library.read', 'debug.read', 'credentials.read']
      ]
    }
  ]
};

/** What the editor keeps of a login. */
export interface Tokens {
  access_token: string;
}

/** Logs one of `THREE_USERS` in, like the editor does. */
export async function logIn(nodeRed: NodeRedProcess, username: string): Promise<Tokens> {
  const response = await fetch(new URL('auth/token', nodeRed.editorUrl), {
    method: 'POST',
    body: new URLSearchParams({
      ...{ client_id: 'node-red-editor', grant_type: 'password', scope: '', username, password: PASSWORD }
    })
  });
  if (!response.ok) throw new Error(`The login was refused: ${response.status}`);
  return (await response.json()) as Tokens;
}
