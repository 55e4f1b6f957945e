/** What the editor may ask the runtime for. Names end in `.read` or `.write`, which read-only users depend on. */
export type Permission = 'flows.read' | 'flows.write' | 'telnyx.read';
