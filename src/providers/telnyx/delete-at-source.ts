import { CodedError } from '../../errors/coded-error';
import { isStoragePlace } from '../../recording/recording-reference';
import type { Deletion, OwnStorage, StoredOrigin } from '../provider';
import type { TelnyxApi } from './api-client';
import { findMedia, resourceOf, resourcePath, texmlPath, type Askable } from './find-media';

/**
 * Deletes a recording, fax, room recording or room composition at Telnyx permanently (Telnyx "Delete a call
 * recording", "Delete a fax", …). The caller has read the stored copy back and matched its hash. A recording
 * that the API does not know (404) counts as deleted.
 *
 * @param reference as the event gave it: deletes only a recording whose id the event names, or whose file has
 *   exactly the address of the event
 * @throws CodedError as `TelnyxApi.request`; `NO_RECORDING` for an invalid id
 */
export async function deleteAtSource(
  api: TelnyxApi | null,
  reference: Askable,
  signal: AbortSignal
): Promise<Deletion> {
  const resource = resourceOf(reference);
  if (reference.details.provider !== 'telnyx') return refused('Telnyx does not have it.');
  if (resource === 'message') return refused('Telnyx has no API that deletes attachments of messages.');
  if (api?.hasKey !== true) return refused('Deleting needs an API key: put one into the account.');

  const id = reference.details.recording_id ?? (await idOfSameFile(api, reference, signal));
  if (id === null)
    return refused(
      'The event does not name the recording, and no other evidence tells for sure which one it is.'
    );
  const named = { ...reference, details: { ...reference.details, recording_id: id } };
  const deleted = await deleteOne(api, resourcePath(resource, id), signal);
  // It is undocumented whether a RecordingSid is an id of the recordings API, so a 404 there proves nothing.
  const elsewhere = resource === 'texml-recording' && !deleted ? texmlPath(named) : null;
  if (resource === 'texml-recording' && !deleted && elsewhere === null)
    return refused('The recordings API does not know its RecordingSid, and the event lacks the AccountSid.');
  return { ok: true, already_gone: !(deleted || (elsewhere && (await deleteOne(api, elsewhere, signal)))) };
}

/** @returns false when there was nothing to delete */
async function deleteOne(api: TelnyxApi, path: string[], signal: AbortSignal): Promise<boolean> {
  try {
    await api.request({ method: 'DELETE', path, signal });
    return true;
  } catch (error) {
    if (error instanceof CodedError && error.code === 'API_NOT_FOUND') return false;
    throw error;
  }
}

async function idOfSameFile(api: TelnyxApi, reference: Askable, signal: AbortSignal): Promise<string | null> {
  try {
    const { media, by } = await findMedia(api, reference, signal);
    return by === 'file' ? media.id : null;
  } catch (error) {
    if (error instanceof CodedError && !error.retryable && error.code !== 'API_UNAUTHORIZED') return null;
    throw error;
  }
}

/**
 * Whether a recording is in a bucket of the customer ("custom storage" of a connection) and not at Telnyx.
 *
 * @param stored what is known of its stored files, for an event without links
 */
export function isInOwnStorage(
  { links }: Pick<Askable, 'links'>,
  stored: readonly Pick<StoredOrigin, 'source_host'>[],
  own: OwnStorage | undefined
): boolean {
  if (links.length > 0) return links.some(({ url }) => isStoragePlace(url) || own?.hasAddress(url) === true);
  return stored.some(({ source_host }) => source_host !== undefined && own?.hasHost(source_host) === true);
}

/** It is not documented whether Telnyx deletes files in custom storage, too; no copy of it may be the last one. */
export const IN_OWN_STORAGE: Deletion = refused(
  'It is in a bucket of your own, and Telnyx does not say whether it would be deleted there, too. Let a rule of the bucket ' +
    'delete it.'
);

function refused(reason: string): Deletion {
  return { ok: false, message: `It was not deleted at Telnyx. ${reason}` };
}
