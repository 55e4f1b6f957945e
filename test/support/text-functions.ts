import { ARCHIVE_FUNCTIONS } from './archive-functions';
import { EVENT_FUNCTIONS } from './event-functions';
import type { TextFunction } from './text-function';

/**
 * Every function that applies a pattern or its own scan to outside text. Such text passes through several of
 * them; none may take long.
 */
export const FUNCTIONS: readonly TextFunction[] = [...EVENT_FUNCTIONS, ...ARCHIVE_FUNCTIONS];

/**
 * Files whose patterns see only text from this package, the system or the owner of this Node-RED, or that limit
 * the text themselves, with the reason.
 */
export const WITHOUT_OUTSIDE_TEXT: ReadonlyMap<string, string> = new Map([
  ['nodes/config/account-users.ts', 'settings of an account'],
  [
    'nodes/config/dialog/known-keys.ts',
    'names of variables from a dialog, of at most 2048 characters together'
  ],
  ['nodes/config/bucket/bucket-test-route.ts', 'what an administrator types into a dialog'],
  ['nodes/config/webhooks/daily-webhooks-route.ts', 'what an administrator types into a dialog'],
  ['nodes/sidebar/archive/archive-request.ts', 'ids and positions; longer ones match nothing'],
  ['nodes/sidebar/archive/media-route.ts', 'names of stored files'],
  ['nodes/sidebar/archive/recording-log.ts', 'positions; longer ones match nothing'],
  ['src/evidence/certificate/period.ts', 'a month, as the caller names it; longer texts match nothing'],
  ['src/evidence/certificate/certificate-page.ts', 'single characters, one after the other'],
  ['src/evidence/verify/verify-log.ts', 'names of files, which a file system keeps short'],
  ['src/evidence/custody/checkpoint-copies.ts', 'names of files, which a file system keeps short'],
  ['nodes/lib/custody-settings.ts', 'types of saved nodes'],
  ['nodes/admin/dialog-values.ts', 'what an administrator types into a dialog'],
  ['nodes/samples/sample-route.ts', 'settings of a webhook node'],
  ['src/samples/sample-body.ts', 'names of event types from the catalogue'],
  ['src/samples/bodies/texml.ts', 'times of this clock'],
  ['nodes/webhook/public-address.ts', 'settings of a webhook node, and host names of parsed addresses'],
  ['src/providers/daily/webhooks/daily-webhooks.ts', 'ids and types; only the first 100 characters are read'],
  ['src/providers/telnyx/webhooks/webhook-collections.ts', 'ids; only the first 64 characters are read'],
  ...[
    'daily-account.ts',
    'lib/api-address.ts',
    'register/known-address.ts',
    'account/only-account.ts',
    'lib/variables.ts',
    'lib/validators.ts',
    'lib/webhook-dialog.ts',
    'samples/sample-search.ts',
    'sidebar/samples.ts',
    'filename/filename-editor.ts',
    'switch/rule-list.ts',
    'telnyx-bucket.ts',
    'telnyx-recording-download.ts'
  ].map((name): [string, string] => [
    `nodes/editor/${name}`,
    'what the owner of a flow types, in that browser'
  ]),
  ['src/naming/filename-syntax.ts', 'the file name of a download node, of at most 4096 characters'],
  ['src/store/bucket/client/field-rules.ts', 'settings of a bucket'],
  ['nodes/config/queue/queue-fields.ts', 'settings of a queue'],
  ['nodes/editor/telnyx-retention.ts', 'settings of a retention, in the editor'],
  ['src/retention/policy-fields.ts', 'settings of a retention'],
  ['src/sharing/redis-check.ts', 'what the Redis of an administrator says of itself, a line at a time'],
  ['src/verification/key-text.ts', 'the keys of an account'],
  ['src/verification/asked-keys.ts', 'bodies, of which 16 kB are read'],
  ['src/http/proxy/proxy-choice.ts', 'settings of the owner, and host names of parsed addresses'],
  ['src/http/proxy/proxy-server.ts', 'settings of the owner'],
  ['src/http/proxy/proxy-fault.ts', 'a header of at most 16 kB, of which 1000 characters are read'],
  ['src/http/proxy/target-guard.ts', 'host names of parsed addresses, of at most 254 characters'],
  ['nodes/lib/typed-property.ts', 'what JSONata says of a setting'],
  ['src/providers/http/json-api.ts', 'the API key of an account'],
  ['src/reconcile/deliveries/search/delivery-place.ts', 'ids and positions; longer ones match nothing'],
  [
    'src/reconcile/deliveries/search/delivery-query.ts',
    'what a user searches for, of at most 200 characters'
  ],
  ['src/reconcile/deliveries/missed-deliveries.ts', 'ids of at most 40 characters'],
  ['src/archive/download/file-download.ts', 'locations that a store made'],
  ['src/archive/transcripts/transcript-filing.ts', 'locations that a store made'],
  ['src/http/http-client.ts', 'addresses that were parsed, in headers of at most 16 kB'],
  ['src/webhook/journal/delivery-identities.ts', 'ids of at most 100 characters'],
  ['src/state/process-identity.ts', 'a file of the state'],
  ['src/state/open-state.ts', 'the time'],
  ['src/state/process-identity.ts', 'what the system says of processes'],
  ['src/state/state-disk.ts', 'what the system says of its file systems'],
  ['src/state/state-lease.ts', 'names of files in a directory, at most 255 bytes'],
  ['src/store/bucket/bucket-kind.ts', 'a header of a store, whose answers are capped'],
  ['src/store/bucket/objects.ts', 'a header of a store, whose answers are capped'],
  ['src/store/bucket/object-versions.ts', 'ids of a bounded length'],
  ['src/sharing/identity-marks.ts', 'an answer that Redis holds, of at most 32 kB'],
  ['src/sharing/facts/told-effects.ts', 'names that Redis holds, of at most 200 characters'],
  ['src/sharing/facts/refill-exchange.ts', 'requests that Redis holds, of at most 16 kB'],
  ['src/sharing/redis-address.ts', 'settings of a queue'],
  ['src/sharing/redis-connection.ts', 'what Redis says of itself'],
  ['src/concurrency/gradual-require.ts', 'the source text of a library'],
  ['src/store/bucket/client/connection.ts', 'errors of the AWS SDK, whose answers are capped'],
  ['src/store/folder/parts/partial-file.ts', 'names that the naming made'],
  ['src/store/folder/whole-file.ts', 'names of files in a directory, at most 255 bytes'],
  ['src/transfer/source-request.ts', 'a header; all of them have at most 16 kB'],
  ['src/transfer/transfer.ts', 'headers; all of them have at most 16 kB'],
  ['src/transfer/source-request.ts', 'host names of parsed addresses']
]);
