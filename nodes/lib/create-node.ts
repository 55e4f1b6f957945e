import { CodedError } from '../../src/errors/coded-error';
import { inLanguage } from './in-language';
import type { NodeConfig, NodeRedApi, RedNode } from './node-red';

/**
 * Creates a node of this package. Whatever it reports, by `error` or by `done`, begins with a sentence in the language of
 * Node-RED: `done` ends in `error`, too.
 */
export function createNode(RED: Pick<NodeRedApi, 'nodes' | '_'>, node: RedNode, config: NodeConfig): void {
  RED.nodes.createNode(node, config);
  const report = node.error.bind(node);
  node.error = (error, message) =>
    report(error instanceof CodedError ? translated(RED, error) : error, message);
}

function translated(RED: Pick<NodeRedApi, '_'>, error: CodedError): CodedError {
  const message = inLanguage(RED, 'error.' + error.code, error.message);
  return message === error.message ? error : error.saying(message);
}
