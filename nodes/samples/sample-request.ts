/** Below the admin root: where the dialog of a type of webhook nodes asks for a sample. */
export function samplePath(type: string): string {
  return `/${type}/sample`;
}

export interface SampleRequest {
  /** Of the deployed node. */
  id: string;
  /** The type of the event. */
  event: string;
}

export interface SampleReply {
  event_type: string;
  /** ISO 8601 UTC. */
  sent_at: string;
  /** Whether the node's first output leads anywhere. */
  isWired: boolean;
  /** Null: the node answers itself. */
  answer: SampleAnswer | null;
}

/** What the flow answered. */
export type SampleAnswer =
  | {
      kind: 'answered';
      status: number;
      contentType: string;
      /** At most the first 20,000 characters. */
      body: string;
      isCut: boolean;
    }
  | { kind: 'none'; seconds: number };
