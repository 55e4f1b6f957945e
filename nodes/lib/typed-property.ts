import { CodedError } from '../../src/errors/coded-error';
import type { FlowMessage, NodeRedApi, RedNode } from './node-red';

/** What a typedInput of the editor points at. */
export interface TypedProperty {
  property: string;
  /** One of `PROPERTY_TYPES`. */
  type: string;
}

/**
 * Reads what a typedInput of the editor points at: a message property, a context value, the result of
 * a JSONata expression.
 *
 * @returns the value; undefined when the message lacks the property or one of its parents
 * @throws CodedError `BAD_SETTING` when the property or the expression cannot be evaluated
 */
export function readTypedProperty(
  RED: Pick<NodeRedApi, 'util'>,
  node: RedNode,
  { property, type }: TypedProperty,
  message: FlowMessage
): Promise<unknown> {
  return new Promise<unknown>((resolve, reject) => {
    const fail = (thrown: unknown): void => {
      // `msg.event.event_type` of a message without `event` raises a TypeError; here it only means that there is nothing.
      if (type === 'msg' && !isInvalidExpression(thrown)) {
        resolve(undefined);
        return;
      }
      reject(
        new CodedError(
          'BAD_SETTING',
          `"${property}" (${type}) could not be evaluated. ${reasonOf(thrown)}. Check this setting of the node.`,
          { cause: thrown }
        )
      );
    };
    try {
      RED.util.evaluateNodeProperty(property, type, node, message, (error: unknown, value) => {
        // Context stores use both for "no error".
        if (error === null || error === undefined) resolve(value);
        else fail(error);
      });
    } catch (thrown) {
      fail(thrown);
    }
  });
}

function isInvalidExpression(thrown: unknown): boolean {
  return typeof thrown === 'object' && thrown !== null && 'code' in thrown && thrown.code === 'INVALID_EXPR';
}

/** JSONata throws plain objects with a `message`. */
function reasonOf(thrown: unknown): string {
  const message =
    typeof thrown === 'object' && thrown !== null && 'message' in thrown ? thrown.message : thrown;
  return String(message).replace(/\.$/, '');
}
