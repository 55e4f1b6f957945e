import { CodedError } from '../../src/errors/coded-error';
import { KeyedMutex } from '../../src/concurrency/keyed-runs';
import type { BucketSettings } from '../../src/store/bucket/client/settings';
import type { BucketStore } from '../../src/store/bucket/bucket-store';
import { telnyxBucketOf } from '../config/bucket/bucket-access';
import { openDestination } from '../download/download-destination';
import { type ArchiveState, archiveState } from '../lib/archive-state';
import { custodyOf } from '../lib/custody';
import { deletionsOf } from '../lib/deletions';
import { followState } from '../lib/follow-state';
import { told } from '../lib/in-language';
import type { FlowMessage, NodeRedApi, RedNode, Send } from '../lib/node-red';
import { NodeStatus, statusTexts } from '../lib/node-status';
import { refuseMessages } from '../lib/on-flows-started';
import { onClose, onInput } from '../lib/on-input';
import { readChoice, readText } from '../lib/read-setting';
import { ACTIONS } from './archive-fields';
import { type ArchiveConfig, type ArchiveRequest, readArchiveRequest, readFolder } from './archive-settings';
import { ArchiveStatus } from './archive-status';
import { runArchive } from './archive-work';

/** The actions of which a node does one at a time. The others do not wait for it. */
const LONG: readonly string[] = ['sweep', 'erase', 'verify'];

/** What a node is about; null: it has not chosen one. */
interface Chosen {
  folder: string | null;
  bucket: BucketSettings | null;
}

/** Starts an archive node: its requests one after the other, the status, close. */
export function startArchiveNode(RED: NodeRedApi, node: RedNode, config: ArchiveConfig): void {
  const say = statusTexts(RED, node.type);
  const nodeStatus = new NodeStatus(node);
  onClose(node, () => nodeStatus.dispose());
  try {
    readChoice(config.action, 'Action', ACTIONS);
    const folder = readFolder(RED, node, config);
    // The bucket may be created after this node.
    const chosen = (): Chosen => ({
      folder,
      bucket: readText(config.bucket) === '' ? null : telnyxBucketOf(RED, config.bucket)
    });
    run(RED, node, { config, chosen, status: new ArchiveStatus(nodeStatus, say) });
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    nodeStatus.problem(say('bad-setting'));
    refuseMessages(RED, node, error);
  }
}

function run(
  RED: NodeRedApi,
  node: RedNode,
  { config, chosen, status }: { config: ArchiveConfig; chosen: () => Chosen; status: ArchiveStatus }
): void {
  const closing = new AbortController();
  const { signal } = closing;
  const turns = new KeyedMutex();
  const pending = new Set<Promise<void>>();
  let bucket: BucketStore | null = null;
  let leave: (() => Promise<void>) | null = null;
  let isBusy = false;

  async function handle(message: FlowMessage, send: Send): Promise<void> {
    const request = asked(message);
    const isLong = LONG.includes(request.action);
    if (isLong && isBusy) throw stillRunning();
    if (isLong) isBusy = true;
    let failure: CodedError | null;
    try {
      // A hold does not wait for the end of a sweep.
      failure = await turns.run(isLong ? 'long' : 'short', () => carryOut(request, message, send));
    } catch (error) {
      if (error instanceof CodedError) status.failed(error.code);
      throw error;
    } finally {
      if (isLong) isBusy = false;
    }
    if (failure !== null) throw failure;
  }

  function asked(message: FlowMessage): ArchiveRequest {
    try {
      return readArchiveRequest(config, message, Date.now());
    } catch (error) {
      if (error instanceof CodedError) status.failed(error.code);
      throw error;
    }
  }

  /** @returns what failed, although there is a result */
  async function carryOut(
    request: ArchiveRequest,
    message: FlowMessage,
    send: Send
  ): Promise<CodedError | null> {
    signal.throwIfAborted();
    const state = archiveState(RED);
    enter(state);
    status.progress(request, { looked: 0, done: 0 });
    const { result, failure } = await runArchive(
      request,
      {
        state,
        deletions: () => deletionsOf(RED),
        custody: () => custodyOf(RED).opened(),
        places: placesOf(),
        node: node.id,
        onProgress: (progress) => status.progress(request, progress)
      },
      signal
    );
    status.ended(request, result);
    send({ ...message, topic: `archive.${request.action}`, payload: result });
    return failure;
  }

  /** From now on the bucket can be reached, and the custody log is kept. */
  function enter(state: ArchiveState): void {
    leave ??= custodyOf(RED).join();
    const { bucket: settings } = chosen();
    const open =
      bucket === null && settings !== null
        ? openDestination({ kind: 'bucket', settings }, state, (said) => node.log(told(RED, said)))
        : null;
    if (open?.kind === 'bucket') {
      bucket = open;
      state.buckets.set(node.id, open);
    }
  }

  /** The places whose files are meant; null: all. */
  function placesOf(): string[] | null {
    const places = [chosen().folder, bucket?.place].filter((place) => typeof place === 'string');
    return places.length === 0 ? null : places;
  }

  async function closed(): Promise<void> {
    await Promise.allSettled(pending);
    const open = bucket;
    bucket = null;
    if (open !== null) archiveState(RED).buckets.delete(node.id);
    await open?.close();
    await leave?.();
    leave = null;
  }

  onInput(node, async (message, send) => {
    const work = handle(message, send);
    pending.add(work);
    try {
      await work;
    } finally {
      pending.delete(work);
    }
  });

  followState(RED, node, {
    begin: async () => {
      try {
        enter(archiveState(RED));
        // What a crash has interrupted is finished now that its place can be reached.
        await deletionsOf(RED);
        status.off();
      } catch (error) {
        if (error instanceof CodedError) status.failed(error.code);
        throw error;
      }
    },
    stop: ({ code }) => status.failed(code)
  });

  onClose(node, async () => {
    closing.abort(stopped());
    await closed();
  });
}

function stillRunning(): CodedError {
  return new CodedError(
    'ALREADY_RUNNING',
    'This node is still deleting or checking, so this message started nothing. Wait for its message, or deploy the node to stop it.'
  );
}

function stopped(): CodedError {
  return new CodedError(
    'GAVE_UP',
    'The work on the archive was stopped by a deploy or by the end of Node-RED before it finished. Send the message again: ' +
      'what was done by then stays done.'
  );
}
