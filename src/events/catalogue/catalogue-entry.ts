import type { Provider } from '../provider';
import type { Shape } from '../shapes';

/** The media that an event leads to, and the fields that lead there. Paths are relative to the payload. */
export interface MediaCarried {
  readonly kind: 'recording' | 'fax' | 'attachment' | 'transcript';
  /** Fields that hold an address (or a bucket key) of the media. */
  readonly urls?: readonly string[];
  /** Fields by which the provider's API finds the media. */
  readonly ids?: readonly string[];
}

/** One row of the data files: an event type as its sender names it. */
export interface TypeRow {
  readonly event_type: string;
  /** One line for people who wire flows. */
  readonly description: string;
  /** Shapes in which it was seen or documented, the usual one first; default: those of the family. */
  readonly shapes?: readonly Shape[];
  /** The field that determines the type, for bodies without an event type. */
  readonly discriminator?: string;
  /** Other names of the same event that have no row of their own. */
  readonly aliases?: readonly string[];
  /** Set when this row is itself an older or other name: the name it stands for. */
  readonly canonical?: string;
  readonly media?: MediaCarried;
  /** The sender waits for an answer of this kind, made by the flow. */
  readonly answer?: 'texml' | 'json';
  /** False: the name is only guessed or contradicts the API reference. */
  readonly verified?: false;
}

/** The event types of one family, with what they have in common. */
export interface FamilyGroup {
  readonly provider: Provider;
  readonly family: string;
  /** The family's name as people see it. */
  readonly label: string;
  /** A type that no row names belongs to the family when it starts with one of these; the longest wins. */
  readonly prefixes: readonly string[];
  readonly shapes: readonly Shape[];
  readonly types: readonly TypeRow[];
}

/** One event type of the catalogue with everything the rows and their family say about it. */
export interface CatalogueEntry {
  readonly event_type: string;
  readonly provider: Provider;
  readonly family: string;
  readonly shapes: readonly Shape[];
  readonly discriminator: string | null;
  /** The name this one stands for; usually `event_type` itself. */
  readonly canonical_type: string;
  /** Every other name of the same event. */
  readonly aliases: readonly string[];
  readonly media: MediaCarried | null;
  readonly answer: 'texml' | 'json' | null;
  readonly description: string;
  readonly verified: boolean;
}

/** Shapes of API v2 events: documented without `meta`, delivered with it. */
export const V2_SHAPES = ['envelope', 'envelope-meta'] as const satisfies readonly Shape[];
/** Shapes of API v2 events that are documented with `meta`. */
export const V2_META_SHAPES = ['envelope-meta', 'envelope'] as const satisfies readonly Shape[];
