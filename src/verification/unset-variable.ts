/**
 * Whether a text is what Node-RED leaves of a setting whose environment variable is not set:
 * `${NAME}`, or `$(NAME)` from older flows.
 */
export function isUnsetVariable(text: string): boolean {
  return /^\$(?:\{[^\s{}]+\}|\([^\s()]+\))$/.test(text);
}
