/** The path under which a node's path is reachable from outside. */
export function belowNodeRoot(path: string): string {
  return `/${RED.settings.httpNodeRoot ?? '/'}/${path}`.replace(/\/{2,}/g, '/');
}
