/** The path by which a node's path is reached from outside. */
export function belowNodeRoot(path: string): string {
  return `/${RED.settings.httpNodeRoot ?? '/'}/${path}`.replace(/\/{2,}/g, '/');
}
