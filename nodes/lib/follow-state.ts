import { CodedError } from '../../src/errors/coded-error';
import { afterStart } from './on-flows-started';
import type { NodeRedApi, RedNode } from './node-red';
import { inBackground, onClose } from './on-input';
import { ownedState } from './state';

export interface StateFollower {
  /** Called when this process owns the state, at the start or again. @throws CodedError `STATE_IN_USE` if it does not */
  begin: () => Promise<void> | void;
  /** Called when the state is no longer usable, or not yet. The error is reported at the node. */
  stop: (problem: CodedError) => Promise<void> | void;
  /** Milliseconds after which a state that cannot be opened is tried again. Default 15,000. */
  retryMs?: number;
}

const RETRY_MS = 15_000;

/**
 * Lets a node work while this process owns the state: from the start of the flows, or once it takes over. A state that
 * cannot be opened, because the disk is full or not mounted yet, is reported once and tried again: the work left in it
 * must not wait for the next message.
 */
export function followState(
  RED: NodeRedApi,
  node: RedNode,
  { begin, stop, retryMs = RETRY_MS }: StateFollower
): void {
  const state = ownedState(RED);
  let isStopped = false;
  let isClosed = false;
  let again: NodeJS.Timeout | undefined;
  onClose(node, () => {
    isClosed = true;
    clearTimeout(again);
  });
  const change = async (): Promise<void> => {
    const { problem } = state;
    if (problem === null) {
      isStopped = false;
      await attempt();
    } else if (!isStopped) {
      isStopped = true;
      clearTimeout(again);
      await stop(problem);
      throw problem;
    }
  };
  const attempt = async ({ isReported = false } = {}): Promise<void> => {
    clearTimeout(again);
    try {
      await begin();
    } catch (error) {
      if (state.problem !== null && error === state.problem) {
        await change();
        return;
      }
      if (!isClosed && error instanceof CodedError && error.retryable) {
        again = setTimeout(() => inBackground(node, () => attempt({ isReported: true })), retryMs);
        again.unref();
        if (isReported) return;
      }
      throw error;
    }
  };
  afterStart(RED, node, async () => {
    const end = state.onChange(() => inBackground(node, change));
    onClose(node, end);
    await attempt();
  });
}
