import type { DeliveryDraft } from './record';
import type { LogEnd, Place } from './segment-header';
import type { SegmentSupplyOptions } from './segment-supply';
import type { Segment } from './segments';

/** Awaited around each write. Throws when the state belongs to another process, or its directory is gone. */
export type LogGuard = (when: 'before' | 'after' | 'restoring') => Promise<void> | undefined;

export interface LogWriterOptions extends SegmentSupplyOptions {
  guard: LogGuard;
  /** Milliseconds since 1970. */
  now: () => number;
  marker: Buffer;
  end: LogEnd;
  /** Called when a segment has its first records. */
  onBegun: (segment: Segment) => void;
  /** Called when somebody has removed files of the log, after those that could be restored were. */
  onVanished: () => Promise<void>;
}

/** A caller that waits for the disk. */
export interface Entry {
  /** Null for a caller that only waits. */
  draft: DeliveryDraft | null;
  resolve: (place: Place | null) => void;
  reject: (error: unknown) => void;
}

/** What is written together. */
export interface Group {
  bytes: Buffer;
  entries: Entry[];
  places: Place[];
  handedOver: number[];
  end: LogEnd;
}

/** Of callers that only wait. @param end of the log */
export function emptyGroup(entries: Entry[], end: LogEnd): Group {
  return { bytes: Buffer.alloc(0), entries, places: [], handedOver: [], end };
}
