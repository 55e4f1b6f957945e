import { CodedError } from '../../src/errors/coded-error';
import type { SharedQueue } from '../config/queue/shared-queue';
import { type LastRun, activityOf } from '../sidebar/activity';
import type { LeaseRun } from '../../src/concurrency/leases';
import { followState } from '../lib/follow-state';
import { leasesOf } from '../lib/leases';
import type { FlowMessage, NodeRedApi, RedNode } from '../lib/node-red';
import { NodeStatus, statusTexts } from '../lib/node-status';
import { refuseMessages } from '../lib/on-flows-started';
import { onClose, onInput } from '../lib/on-input';
import { noteList } from './list-runs';
import { summaryMessage } from './list-messages';
import { ListStatus, type ShownSummary } from './list-status';

/** What one run may use. */
export interface ListRun {
  status: ListStatus;
  /** Sends to the first output; does nothing once the node closes. */
  emit: (message: FlowMessage) => void;
  /** Sends to the second output, before the summary. */
  tell: (message: FlowMessage) => void;
  /** Aborted when the node closes. */
  signal: AbortSignal;
}

/** What distinguishes one list node from another; everything around it is shared. */
export interface ListWork {
  /** Topic of the message from the second output. */
  topic: string;
  /** What a user should know after a run was stopped; the end of a sentence. */
  afterStop: string;
  /**
   * Runs the request of one message.
   *
   * @returns the summary, and the first failure, which Catch nodes get after the summary; `trouble`: what the status
   *   says besides
   * @throws the error that prevented the run; the signal's reason when aborted
   */
  run: (
    message: FlowMessage,
    run: ListRun
  ) => Promise<{ summary: ShownSummary; failure: CodedError | null; trouble?: string }>;
  /** Through which several Node-REDs agree on who runs the list; null: this one runs it. */
  queue: SharedQueue | null;
  /** Called when this process owns the state. @throws CodedError as `StateFollower.begin` */
  begin: () => void;
  /** Called when the node closes and its run has ended. */
  end?: () => Promise<void>;
}

/**
 * Starts a list node: one run at a time, the status, the summary, close.
 *
 * @param work reads the node's settings; its signal is aborted when the node closes. @throws CodedError `BAD_SETTING`,
 *   which the node reports
 */
export function startListNode(RED: NodeRedApi, node: RedNode, work: (signal: AbortSignal) => ListWork): void {
  const closing = new AbortController();
  const say = statusTexts(RED, node.type);
  const nodeStatus = new NodeStatus(node);
  onClose(node, () => nodeStatus.dispose());
  try {
    run(RED, node, work(closing.signal), { closing, nodeStatus, status: new ListStatus(nodeStatus, say) });
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    nodeStatus.problem(say('bad-setting'));
    refuseMessages(RED, node, error);
  }
}

function run(
  RED: NodeRedApi,
  node: RedNode,
  work: ListWork,
  { closing, nodeStatus, status }: { closing: AbortController; nodeStatus: NodeStatus; status: ListStatus }
): void {
  const { signal } = closing;
  const { lists } = activityOf(RED);
  let running: Promise<unknown> | null = null;
  let isInUse = false;
  const lease = `list ${node.id}`;
  noteList(RED, node, () => running !== null);

  onInput(node, async (message, send) => {
    if (running !== null) throw stillRunning();
    status.begin();
    const last: LastRun = { node, begun: Date.now(), ended: null, summary: null, code: null };
    lists.set(node.id, last);
    const emit = (...outputs: (FlowMessage | null)[]): void => {
      if (!signal.aborted) send(outputs);
    };
    const carryOut = async (lost: AbortSignal): Promise<void> => {
      const elsewhere = new AbortController();
      lost.addEventListener('abort', () => elsewhere.abort(takenOver(work.afterStop)), { once: true });
      const { summary, failure, trouble } = await work.run(message, {
        status,
        emit: (emitted) => emit(emitted, null),
        tell: (told) => emit(null, told),
        signal: AbortSignal.any([signal, elsewhere.signal])
      });
      status.ended(summary, trouble);
      const { listed, emitted, complete } = summary;
      last.summary = { listed, emitted, complete };
      emit(null, summaryMessage(message, summary, work.topic));
      if (failure !== null) throw failure;
    };
    const leased =
      work.queue === null
        ? leasesOf(RED).run(lease, LEASE_MS, carryOut)
        : work.queue.hold(onOneInstance(work.queue, { lease, signal, carryOut }));
    // This very promise, which is awaited below: another one made of it would end Node-RED when the list fails.
    running = leased;
    try {
      if ((await leased).kind === 'taken') {
        if (work.queue === null) throw stillRunning();
        // It is being done: nothing for a Catch node.
        status.elsewhere(work.queue.leases.holder(lease) ?? '');
      }
    } catch (error) {
      if (error instanceof CodedError) status.failed(error.code);
      last.code = error instanceof CodedError ? error.code : 'GAVE_UP';
      throw error;
    } finally {
      running = null;
      last.ended = Date.now();
    }
  });

  followState(RED, node, {
    begin: () => {
      work.begin();
      if (isInUse) nodeStatus.off();
      isInUse = false;
    },
    stop: ({ code }) => {
      isInUse = true;
      status.failed(code);
    }
  });

  onClose(node, async () => {
    closing.abort(stopped(work.afterStop));
    await running?.catch(() => undefined);
    await work.end?.();
  });
}

/** A list often starts with the flows, when the connection is not there yet. Milliseconds. */
const CONNECT_MS = 5000;

/** Runs a list unless another Node-RED does. */
async function onOneInstance(
  { connection, leases }: SharedQueue,
  {
    lease,
    signal,
    carryOut
  }: { lease: string; signal: AbortSignal; carryOut: (lost: AbortSignal) => Promise<void> }
): Promise<LeaseRun<void>> {
  let stop = (): void => undefined;
  const closing = new Promise<void>((resolve) => (stop = resolve));
  signal.addEventListener('abort', stop, { once: true });
  await Promise.race([connection.ready(CONNECT_MS), closing]);
  // The signal lives as long as the node, which may run thousands of lists.
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
  return leases.run(lease, LEASE_MS, carryOut);
}

/** How long a list whose process has died keeps others from running. Milliseconds. */
const LEASE_MS = 30_000;

function stillRunning(): CodedError {
  return new CodedError(
    'ALREADY_RUNNING',
    'The previous list is still running, so this message did not start another. Wait for the message from the second ' +
      'output, or deploy the node to stop the run.'
  );
}

function takenOver(afterStop: string): CodedError {
  return new CodedError(
    'GAVE_UP',
    'The list was stopped before it finished: Redis could not be reached in time, so another Node-RED may run it now. Send the ' +
      `message again: ${afterStop}`
  );
}

function stopped(afterStop: string): CodedError {
  return new CodedError(
    'GAVE_UP',
    'The list was stopped by a deploy or by the end of Node-RED before it finished. Send the message again: ' +
      afterStop
  );
}
