import type { CodedError } from '../../src/errors/coded-error';
import { afterStart } from './after-start';
import type { NodeRedApi, RedNode } from './node-red';
import { inBackground, onClose } from './on-input';
import { ownedState } from './state';

export interface StateFollower {
  /** The state is this process's, at the start or again. @throws CodedError `STATE_IN_USE` when it is not */
  begin: () => Promise<void> | void;
  /** The state cannot be used any more, or not yet. The error has been reported at the node. */
  stop: (problem: CodedError) => Promise<void> | void;
}

/** Lets a node work while the state is this process's: from the start of the flows, or once it takes over. */
export function followState(RED: NodeRedApi, node: RedNode, { begin, stop }: StateFollower): void {
  const state = ownedState(RED);
  let isStopped = false;
  const change = async (): Promise<void> => {
    const { problem } = state;
    if (problem === null) {
      isStopped = false;
      await begin();
    } else if (!isStopped) {
      isStopped = true;
      await stop(problem);
      throw problem;
    }
  };
  const start = async (): Promise<void> => {
    const end = state.onChange(() => inBackground(node, change));
    onClose(node, end);
    try {
      await begin();
    } catch (error) {
      if (error !== state.problem || state.problem === null) throw error;
      await change();
    }
  };
  afterStart(RED, node, start);
}
