import type { LogFiles } from './log-files';
import type { LogGuard } from './log-group';
import type { LogEnd } from './segment-header';
import type { OpenSegment } from './segment-supply';

/**
 * Gives a segment whose file has lost its name a new file with what was durable. The nameless file is closed after that:
 * until then it is the only copy.
 *
 * @param durable the end of what was durable, in any segment
 * @returns the segment in its new file; null when it held nothing
 * @throws the system's error; CodedError `STATE_IN_USE`
 */
export async function restoredSegment(
  nameless: OpenSegment | null,
  durable: LogEnd,
  { files, guard }: { files: LogFiles; guard: LogGuard }
): Promise<OpenSegment | null> {
  // Perhaps another owner has removed it.
  void guard('restoring');
  if (nameless === null) return null;
  const { at, segment, earliest, latest } = durable;
  let restored: OpenSegment | null = null;
  if (segment === nameless.number) {
    const handle = await files.restore(nameless.handle, at, nameless);
    restored = { ...nameless, handle, at, span: { earliest, latest } };
  }
  files.close(nameless.handle);
  return restored;
}
