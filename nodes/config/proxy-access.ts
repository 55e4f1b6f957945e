import { CodedError } from '../../src/errors/coded-error';
import {
  brokenChoice,
  environmentProxies,
  oneProxy,
  type ProxyChoice
} from '../../src/http/proxy/proxy-choice';
import { readProxy } from '../../src/http/proxy/proxy-server';
import type { NodeRedApi, RedNode } from '../lib/node-red';
import { afterStart } from '../lib/on-flows-started';
import { readText } from '../lib/read-setting';

const TYPE = 'http proxy';

/** A core *http proxy* node. */
type HttpProxyNode = RedNode & { url?: unknown; noproxy?: unknown };

const SOURCE = {
  place: 'the http proxy node that is chosen as "Proxy"',
  login: 'Enter them in the http proxy node that is chosen as "Proxy"',
  exceptions: '"Ignore hosts" of the http proxy node'
};

/**
 * The proxy that a node has chosen, else what the environment variables say.
 *
 * @param id of a core *http proxy* node; blank for the environment
 * @returns null when there is no proxy at all. A choice whose settings cannot work fails each request; see `checkProxy`
 */
export function proxyOf(
  RED: Pick<NodeRedApi, 'nodes'>,
  id: unknown,
  environment: Readonly<Record<string, string | undefined>> = process.env
): ProxyChoice | null {
  const chosen = readText(id);
  if (chosen !== '') return chosenProxy(RED, chosen);
  try {
    return environmentProxies(environment);
  } catch (error) {
    if (error instanceof CodedError) return brokenChoice(error);
    throw error;
  }
}

/** @throws CodedError `BAD_SETTING` when the settings of a proxy cannot work */
export function checkProxy(proxy: ProxyChoice | null): void {
  proxy?.serverFor(new URL('https://example.com'));
}

/** Reports settings of a proxy that cannot work, once all nodes exist. */
export function reportProxy(RED: NodeRedApi, node: RedNode, proxy: ProxyChoice | null): void {
  if (proxy === null) return;
  afterStart(RED, node, () => {
    try {
      checkProxy(proxy);
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      node.error(error, {});
    }
  });
}

/** The proxy node may be created after those that use it, so it is looked for with each request. */
function chosenProxy(RED: Pick<NodeRedApi, 'nodes'>, id: string): ProxyChoice {
  let known: { node: HttpProxyNode; choice: ProxyChoice } | undefined;
  const current = (): ProxyChoice => {
    const node = RED.nodes.getNode(id) as HttpProxyNode | null | undefined;
    // The user name and password of any other node are none of our business.
    if (node?.type !== TYPE)
      return brokenChoice(
        new CodedError(
          'BAD_SETTING',
          'The http proxy node that is chosen as "Proxy" is missing or disabled. Choose another one, or none.'
        )
      );
    if (known?.node !== node) known = { node, choice: choiceOf(node) };
    return known.choice;
  };
  return { serverFor: (target) => current().serverFor(target) };
}

function choiceOf({ url, noproxy, credentials }: HttpProxyNode): ProxyChoice {
  try {
    const server = readProxy({
      address: readText(url),
      source: SOURCE,
      username: credentials?.['username'] ?? '',
      password: credentials?.['password'] ?? ''
    });
    const exceptions: unknown[] = Array.isArray(noproxy) ? noproxy : [];
    return oneProxy(server, exceptions.filter((host) => typeof host === 'string').join(','));
  } catch (error) {
    if (error instanceof CodedError) return brokenChoice(error);
    throw error;
  }
}
