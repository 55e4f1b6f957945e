import type { DeliveryDraft } from './record';
import type { LogEnd, Place } from './segment-header';

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
