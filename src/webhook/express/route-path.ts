/**
 * The form in which paths are compared. Express ignores case, a trailing slash and the query when it
 * matches. The capture must recognise every request that reaches our handler, so both compare this
 * form.
 *
 * @param path URL path or whole URL, with or without query; percent escapes stay as they are, as in Express
 * @returns lower case, with a leading slash but no doubled or trailing one (`/` alone for the root)
 */
export function comparablePath(path: string): string {
  // Nearly all deliveries of a Node-RED ask for the same one, and each is compared several times.
  if (path === latest.path) return latest.comparable;
  const comparable = compare(path);
  if (path.length <= LONGEST_KEPT) latest = { path, comparable };
  return comparable;
}

/** Characters of a path that is kept. */
const LONGEST_KEPT = 200;

let latest = { path: '', comparable: '/' };

function compare(path: string): string {
  const end = path.indexOf('?');
  const withoutQuery = withoutOrigin(end === -1 ? path : path.slice(0, end));
  const collapsed = `/${withoutQuery}`.replace(/\/{2,}/g, '/').toLowerCase();
  return collapsed.length > 1 && collapsed.endsWith('/') ? collapsed.slice(0, -1) : collapsed;
}

/** Some proxies request `http://host/path`, which a server has to treat as `/path` (RFC 9112, 3.2.2). */
function withoutOrigin(target: string): string {
  return target.startsWith('/') ? target : target.replace(/^https?:\/\/[^/]*/i, '');
}

/** First segments that belong to Node-RED's admin API when it shares its root with the flows' URLs. */
const ADMIN_SEGMENTS: ReadonlySet<string> = new Set(
  (
    'auth comms context credentials debug diagnostics flow flows icons inject library locales nodes ' +
    'plugins projects red resources settings telnyx-sidebar theme types vendor'
  ).split(' ')
);

/** Below the admin root: where the dialog of the event switch gets the event types. */
export const CATALOGUE_PATH = '/telnyx/catalogue';

/** What can be wrong with a path. */
export type PathFault =
  'empty' | 'variable' | 'query' | 'pattern' | 'characters' | 'dots' | 'root' | 'reserved';

/**
 * What is wrong with a path, or null when a node can listen on it. The dialogs use it as well.
 *
 * @param path as written in the node
 * @param sharesAdminRoot whether flows' URLs and the admin API begin at the same place (Node-RED's default)
 */
export function pathFault(path: string, sharesAdminRoot: boolean): PathFault | null {
  if (path.trim() === '') return 'empty';
  if (/\$[({]/.test(path)) return 'variable';
  if (/[?#\s]/.test(path)) return 'query';
  if (/[:*()]/.test(path)) return 'pattern';
  // Senders escape other characters and resolve dots, so they would request another path.
  if (!/^[\w\-.~!$&'+,;=@%/]*$/.test(path)) return 'characters';
  if (/(^|\/)\.\.?(\/|$)/.test(path)) return 'dots';
  const comparable = comparablePath(path);
  if (comparable === '/') return 'root';
  const isReserved = ADMIN_SEGMENTS.has(firstSegment(comparable)) || comparable === CATALOGUE_PATH;
  return sharesAdminRoot && isReserved ? 'reserved' : null;
}

/** Like `pathFault`, as a sentence that says what to do. */
export function pathProblem(path: string, sharesAdminRoot: boolean): string | null {
  const fault = pathFault(path, sharesAdminRoot);
  return fault === null ? null : ADVICE[fault](path);
}

const ADVICE: Readonly<Record<PathFault, (path: string) => string>> = {
  empty: () => 'The path is empty. Enter one such as /telnyx.',
  variable: () =>
    'The path names an environment variable that is not set. Set it, or write the path itself here.',
  query: () => 'The path must not contain spaces, "?" or "#".',
  pattern: () => 'The path is taken literally; ":", "*" and brackets are not possible.',
  characters: () => 'The path must have only letters from a to z, digits, "-", "_", "." and "/".',
  dots: () => 'The path must not have "." or ".." between slashes.',
  root: () => 'The path must have a name, such as /telnyx.',
  reserved: (path) => {
    const comparable = comparablePath(path);
    return comparable === CATALOGUE_PATH
      ? `The editor asks ${CATALOGUE_PATH} for the event types. Choose another path.`
      : `The path begins with /${firstSegment(comparable)}, which Node-RED's editor uses itself. Choose another one.`;
  }
};

function firstSegment(comparable: string): string {
  return comparable.split('/')[1] ?? '';
}
