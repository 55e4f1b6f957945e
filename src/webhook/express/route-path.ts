/**
 * The form in which paths are compared. Express matches without regard to case, to a trailing slash
 * and to the query; a request that reaches our handler must be recognised by the capture as well, so
 * both compare this form.
 *
 * @param path URL path or whole URL, with or without query; percent escapes stay as they are, as in Express
 * @returns begins with `/`, lower case, no doubled and no trailing slash (`/` alone for the root)
 */
export function comparablePath(path: string): string {
  const end = path.indexOf('?');
  const withoutQuery = withoutOrigin(end === -1 ? path : path.slice(0, end));
  const collapsed = `/${withoutQuery}`.replace(/\/{2,}/g, '/').toLowerCase();
  return collapsed.length > 1 && collapsed.endsWith('/') ? collapsed.slice(0, -1) : collapsed;
}

/** Some proxies ask for `http://host/path`, which a server has to take for `/path` (RFC 9112, 3.2.2). */
function withoutOrigin(target: string): string {
  return target.startsWith('/') ? target : target.replace(/^https?:\/\/[^/]*/i, '');
}

/** First segments that belong to Node-RED's admin API when that is on the same root as the flows' URLs. */
const ADMIN_SEGMENTS: ReadonlySet<string> = new Set(
  (
    'auth comms context credentials debug diagnostics flow flows icons inject library locales nodes ' +
    'plugins projects red resources settings theme types vendor'
  ).split(' ')
);

/** Below the admin root: where the dialog of the event switch asks for the event types. */
export const CATALOGUE_PATH = '/telnyx/catalogue';

/**
 * Why a node cannot listen on a path, or null when it can.
 *
 * @param path as written in the node
 * @param sharesAdminRoot whether flows' URLs and the admin API begin at the same place (Node-RED's default)
 */
export function pathProblem(path: string, sharesAdminRoot: boolean): string | null {
  if (path.trim() === '') return 'The path is empty. Enter one such as /telnyx.';
  if (/\$[({]/.test(path)) {
    return 'The path names an environment variable that is not set. Set it, or write the path itself here.';
  }
  if (/[?#\s]/.test(path)) return 'The path must not hold spaces, "?" or "#".';
  if (/[:*()]/.test(path)) return 'The path is taken literally; ":", "*" and brackets are not possible.';
  // Senders escape other characters and resolve dots, so that the path they ask for would be another one.
  if (!/^[\w\-.~!$&'+,;=@%/]*$/.test(path)) {
    return 'The path must have only letters from a to z, digits, "-", "_", "." and "/".';
  }
  if (/(^|\/)\.\.?(\/|$)/.test(path)) return 'The path must not have "." or ".." between slashes.';
  const comparable = comparablePath(path);
  if (comparable === '/') return 'The path must have a name, such as /telnyx.';
  const first = comparable.split('/')[1] ?? '';
  if (sharesAdminRoot && ADMIN_SEGMENTS.has(first)) {
    return `The path begins with /${first}, which Node-RED's editor uses itself. Choose another one.`;
  }
  if (sharesAdminRoot && comparable === CATALOGUE_PATH) {
    return `The editor asks ${CATALOGUE_PATH} for the event types. Choose another path.`;
  }
  return null;
}
