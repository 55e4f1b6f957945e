import { CodedError } from '../../src/errors/coded-error';
import { IdentityMarks } from '../../src/sharing/identity-marks';
import { IdentityUpload, type IdentityUploadDeps } from '../../src/sharing/identity-upload';
import { SharedIdentities } from '../../src/sharing/shared-identities';
import type { LocalIdentities } from '../../src/webhook/journal/delivery-identities';
import type { Identities } from '../../src/webhook/journal/identities';
import type { SharedQueue } from '../config/queue/shared-queue';

const identities = new WeakMap<SharedQueue, Identities>();

/** Which deliveries the instances with one queue have accepted. All nodes with that queue share them. */
export function identitiesOfQueue(
  queue: SharedQueue,
  { local, since }: Pick<IdentityUploadDeps, 'since'> & { local: LocalIdentities }
): Identities {
  const known = identities.get(queue);
  if (known !== undefined) return known;
  const { connection, sealer, settings } = queue;
  const instance = queue.instance.id;
  const marks = new IdentityMarks(connection, sealer);
  const upload = new IdentityUpload({ marks, connection, instance, since });
  const shared = new SharedIdentities({ local, marks, upload, connection, instance });
  queue.onClose(() => {
    upload.close();
    shared.close();
  });
  const added = onceConnected(settings.whenAway === 'refuse' ? refusing(shared, queue) : shared, queue);
  identities.set(queue, added);
  return added;
}

/**
 * Right after a start, deliveries may come before the connection: then others would not know of them for a moment. Not longer
 * than any command may take, because senders wait no more than two seconds. Milliseconds.
 */
const CONNECT_MS = 1000;

function onceConnected(shared: Identities, { connection }: SharedQueue): Identities {
  const connected = connection.ready(CONNECT_MS);
  const after = async <Result>(ask: () => Result | Promise<Result>): Promise<Result> => {
    await connected;
    return ask();
  };
  return {
    claim: (scope, id) => after(() => shared.claim(scope, id)),
    reclaim: (scope, id) => after(() => shared.reclaim(scope, id)),
    find: (scope, id) => after(() => shared.find(scope, id)),
    remember: (scope, id, answer) => shared.remember(scope, id, answer)
  };
}

/** Accepts nothing while Redis is away: for machines whose disk does not outlive them. */
function refusing(shared: Identities, { connection }: SharedQueue): Identities {
  return {
    claim: async (scope, id) => {
      if (connection.isAway) {
        throw new CodedError(
          'NOT_RECORDED',
          `${connection.away().message} By "Redis away" of the queue, senders are asked to try again until then.`,
          { retryable: true }
        );
      }
      return shared.claim(scope, id);
    },
    reclaim: (scope, id) => shared.reclaim(scope, id),
    find: (scope, id) => shared.find(scope, id),
    remember: (scope, id, answer) => shared.remember(scope, id, answer)
  };
}
