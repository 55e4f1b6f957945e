import type { Emitted } from '../../src/reconcile/reconcile';
import { STORED_RECORD_TYPE } from '../../src/recording/find-recordings';
import type { FlowMessage, NodeRedApi } from '../lib/node-red';

/** What belongs to the trigger, or would be mistaken for another recording. */
const OWN = [
  'from',
  'to',
  'filter',
  'what',
  'verify',
  'rebuild',
  'folder',
  'event',
  'recording',
  'recording_id',
  'transcript_id',
  'url',
  'parts',
  'req',
  'res'
];

/**
 * The message that makes the download node fetch a recording or a transcript. It keeps everything else that the trigger carries.
 *
 * @param trigger the message that began the run
 */
export function emittedMessage(
  RED: Pick<NodeRedApi, 'util'>,
  trigger: FlowMessage,
  emitted: Emitted
): FlowMessage {
  const kept = Object.fromEntries(
    Object.entries(trigger).filter(([name]) => !OWN.includes(name) && name !== 'payload')
  );
  const base: FlowMessage = RED.util.cloneMessage(kept);
  if (emitted.kind === 'damaged') {
    const { identity, wantedFormat, recording, damage } = emitted.file;
    const { provider, recording_id } = recording;
    return {
      ...base,
      topic: 'recording.damaged',
      provider,
      recording_id,
      payload: {
        record_type: STORED_RECORD_TYPE,
        damage,
        ...recording,
        identity,
        wanted_format: wantedFormat
      }
    };
  }
  const { provider, recording_id, transcript_id = null, isStored, item } = emitted.recording;
  const thing = transcript_id === null ? 'recording' : 'transcript';
  return {
    ...base,
    topic: isStored ? `${thing}.stored` : `${thing}.missing`,
    provider,
    ...(recording_id !== null && { recording_id }),
    ...(transcript_id !== null && { transcript_id }),
    payload: item
  };
}

/** The message for the second output of a list node. */
export function summaryMessage(trigger: FlowMessage, summary: object, topic = 'recording.list'): FlowMessage {
  return { ...trigger, topic, payload: summary };
}
