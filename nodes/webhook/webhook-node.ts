import { CodedError } from '../../src/errors/coded-error';
import type { DeliveryParser, WebhookMessage } from '../../src/events/build-event';
import type { WebhookProblem } from '../../src/providers/webhook-health';
import { type DeliveryVerifier, refusingAll } from '../../src/verification/signed-delivery';
import { unavailableReceiver } from '../../src/webhook/endpoint/delivery-receiver';
import type { Exchange } from '../../src/webhook/endpoint/flow-reply';
import { SampleSender } from '../../src/webhook/endpoint/sample-sender';
import {
  DeliveryTally,
  type EndpointDeps,
  type EndpointSettings,
  WebhookEndpoint
} from '../../src/webhook/endpoint/webhook-endpoint';
import { comparablePath, pathProblem } from '../../src/webhook/express/route-path';
import { telnyxQueueOf } from '../config/queue/queue-access';
import { activityOf } from '../sidebar/activity';
import { custodyOf } from '../lib/custody';
import { followState } from '../lib/follow-state';
import { inLanguage } from '../lib/in-language';
import type { FlowMessage, NodeConfig, NodeRedApi, RedNode } from '../lib/node-red';
import { NodeStatus } from '../lib/node-status';
import type { NumberLimits } from '../lib/number-limits';
import { afterStart } from '../lib/on-flows-started';
import { onClose } from '../lib/on-input';
import { readBoolean, readChoice, readNumber, readText } from '../lib/read-setting';
import { ownedState } from '../lib/state';
import { type HealthWatch, watchHealth } from './webhook-health';
import { type LastDelivery, type ReceiverReport, noteReceiver } from './webhook-receivers';
import { RejectionWarnings } from './rejection-warnings';
import { DUPLICATES, KEEP, MAX_BODY, REPLIES, REPLY_TIMEOUT } from './webhook-fields';
import {
  deliveryIdentities,
  deliveryJournal,
  deliveryRoutes,
  handOvers,
  keepDeliveries
} from './webhook-runtime';

/** The properties that all webhook nodes share, as saved in a flow. */
export interface WebhookNodeConfig extends NodeConfig {
  account?: string;
  path?: string;
  publicUrl?: string;
  health?: boolean;
  reply?: string;
  replyTimeout?: string | number;
  tolerance?: string | number;
  duplicates?: string;
  maxBody?: string | number;
  keep?: string | number;
  rawBody?: boolean;
  rejectedOutput?: boolean;
  queue?: string;
}

/** What differs from provider to provider. */
export interface WebhookProvider {
  defaultPath: string;
  /** Seconds. */
  tolerance: NumberLimits;
  acceptGet: boolean;
  /** Whether the dialog has a checkbox for GET. */
  offersGet: boolean;
  parse: DeliveryParser;
  isProbe?: (rawBody: Buffer) => boolean;
  /** @param tolerance seconds */
  verifier: (tolerance: number) => DeliveryVerifier;
  /** Why the account cannot verify any delivery, or null. */
  problem: CodedError | null;
  /** Short status text for `problem`. */
  problemStatus: string;
  /** Whose API tells whether deliveries fail. */
  watched: Pick<HealthWatch, 'definition' | 'account'> & { account: { publicUrl: string } | null };
  keys?: KeyStatus;
}

/** What the status of a webhook node says about the keys of its account. */
export interface KeyStatus {
  /** Which key is in use; blank to say nothing. */
  inUse: string | (() => string);
  /** Why there is no key yet, or null. */
  trouble?: () => { text: string; isForUser: boolean } | null;
  /** @returns a function that removes the listener */
  onChange?: (listener: () => void) => () => void;
}

/** Starts a webhook node: settings, path, endpoint, outputs, status, close. */
export function startWebhookNode(
  RED: NodeRedApi,
  node: RedNode,
  config: WebhookNodeConfig,
  provider: WebhookProvider
): void {
  const status = new NodeStatus(node);
  onClose(node, () => status.dispose());
  const say: Say = (key, values) => RED._(`${node.type}.status.${key}`, values);
  const fail = (error: CodedError, text: string): void => {
    status.problem(text);
    afterStart(RED, node, () => node.error(error, {}));
  };

  try {
    listen();
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    fail(error, say('bad-setting'));
  }

  /** Keeps the path when the other settings cannot work: senders try again until the user has fixed them. */
  function orKeepPath<T>(path: string, read: () => T): T {
    try {
      return read();
    } catch (error) {
      const claim = deliveryRoutes(RED).claim(path, node.id, unavailableReceiver, () => undefined);
      onClose(node, () => claim.release());
      throw error;
    }
  }

  function listen(): void {
    const path = readText(config.path, provider.defaultPath);
    const problem = pathProblem(path, sharesAdminRoot(RED.settings));
    if (problem !== null) throw new CodedError('BAD_SETTING', problem);
    if (RED.settings.httpNodeRoot === false) {
      throw new CodedError(
        'BAD_SETTING',
        'httpNodeRoot is false in settings.js, so no flow can receive HTTP. Set it to "/".'
      );
    }
    const settings = orKeepPath(path, () => readSettings(config, node, provider));
    const queue = orKeepPath(path, () => telnyxQueueOf(RED, config.queue));
    const { rejectedOutput, withRawBody, keep } = settings;
    keepDeliveries(RED, node.id, keep);
    const warnings = new RejectionWarnings((text, code) => node.warn(inLanguage(RED, 'error.' + code, text)));
    const tally = new DeliveryTally();
    const last: LastDelivery = { received: null, refused: null };
    const state = ownedState(RED);
    const watch = handOvers(RED);
    const recent = activityOf(RED).deliveries;
    const isWatched = readBoolean(config.health, false);

    let unhealthy: WebhookProblem | undefined;
    const withHealth = (text: string): string =>
      unhealthy === undefined
        ? text
        : `${text} · ${say(unhealthy.problem, { count: unhealthy.failed ?? 0 })}`;
    const showCounts = (): void => {
      if (!claim.serving || provider.problem !== null || state.problem !== null) return;
      const keyTrouble = provider.keys?.trouble?.() ?? null;
      const { trouble } = tally;
      if (keyTrouble !== null) status[keyTrouble.isForUser ? 'problem' : 'waiting'](keyTrouble.text);
      else if (trouble === null) {
        const show = unhealthy === undefined ? 'ready' : endsAll(unhealthy) ? 'problem' : 'waiting';
        status[show](() => withHealth(countsText(say, tally, provider.keys)));
      } else
        status.waiting(() =>
          withHealth(say('refused', { refused: trouble.refused, cause: say(`cause.${trouble.code}`) }))
        );
    };

    const passing: Pick<EndpointDeps, 'emit' | 'isFlowThere' | 'onLateAnswer'> = {
      emit: (message, rawBody, { exchange, handOver }) => {
        const sent = flowMessage(RED, message, exchange);
        if (withRawBody) sent['rawBody'] = rawBody;
        if (handOver === null) node.send(sent);
        else if (!watch.send(node, { message: sent, id: message.event.id, handOver })) return;
        const { sample, recovered, replayed } = message.event;
        // A sample says nothing of the provider, and a replay nothing that is new.
        if (sample === true) return;
        recent.passed(node.id, message);
        if (replayed === true) return;
        tally.received(recovered === true);
        if (recovered !== true) last.received = performance.now();
        showCounts();
      },
      isFlowThere: () => watch.isFlowThere(node),
      onLateAnswer: () => node.warn(say('late-answer'))
    };
    const endpoint = new WebhookEndpoint(settings, {
      ...passing,
      verifier:
        provider.problem?.code === 'BAD_PUBLIC_KEY'
          ? refusingAll(provider.problem.code, provider.problem.message)
          : provider.verifier(settings.tolerance),
      parse: provider.parse,
      journal: deliveryJournal(RED),
      identities: deliveryIdentities(RED, queue),
      isOpen: () => state.problem === null,
      offersGet: provider.offersGet,
      ...(provider.isProbe && { isProbe: provider.isProbe }),
      now: Date.now,
      handedOver: () => watch.settle(node),
      onRejected: (rejection) => {
        tally.refused(rejection.code);
        recent.refused(node.id, rejection);
        last.refused = performance.now();
        showCounts();
        warnings.add(rejection);
        if (rejectedOutput) node.send([null, { topic: 'rejected', payload: rejection }]);
      },
      onFault: (code, message, about, cause) => {
        const error = new CodedError(code, message, cause === undefined ? {} : { cause });
        node.error(error, about === null ? {} : flowMessage(RED, about, null));
      },
      onDropped: (copy) => recent.dropped(node.id, copy)
    });
    const samples = new SampleSender(settings, { ...passing, parse: provider.parse, now: Date.now });

    const claim = deliveryRoutes(RED).claim(path, node.id, endpoint, showCounts);
    const publicUrl = readText(config.publicUrl, provider.watched.account?.publicUrl);
    const report = (): ReceiverReport => ({
      ...tally.counts,
      problem: provider.problem?.code ?? (claim.serving ? (state.problem?.code ?? null) : 'PATH_IN_USE'),
      trouble: tally.trouble,
      health: unhealthy === undefined ? null : { problem: unhealthy.problem, failed: unhealthy.failed },
      isWatched
    });
    noteReceiver(RED, node, {
      ...{ path, publicUrl, receiver: endpoint, report, last, samples },
      replay: (message, rawBody) => passing.emit(message, rawBody, { exchange: null, handOver: null })
    });
    onClose(node, () => {
      claim.release();
      warnings.dispose();
      samples.close();
      const closed = endpoint.close().then(() => custodyOf(RED).settled());
      return queue === null ? closed : queue.hold(closed);
    });
    watch.watch(node, () => endpoint.recover());
    followState(RED, node, {
      begin: () => {
        showCounts();
        return endpoint.recover();
      },
      stop: ({ code }) => {
        if (!claim.serving || provider.problem !== null) return;
        status.problem(say(code === 'STATE_IN_USE' ? 'state-in-use' : 'bad-setting'));
      }
    });
    if (isWatched)
      watchHealth(RED, node, {
        ...provider.watched,
        address: { path, publicUrl },
        onChecked: (problems) => {
          // What ends all deliveries is worse than single ones that failed.
          unhealthy = problems.find(endsAll) ?? problems[0];
          showCounts();
        }
      });
    if (provider.keys?.onChange) onClose(node, provider.keys.onChange(showCounts));
    showCounts();
    if (provider.problem !== null) fail(provider.problem, provider.problemStatus);
    if (!claim.serving) {
      const other = claim.heldBy ?? '';
      fail(
        new CodedError(
          'PATH_IN_USE',
          `The path ${path} is served by the node ${other} already. Give one of the two another path; Ctrl-F finds a node by ` +
            'its id.'
        ),
        say('path-in-use')
      );
    }
  }
}

function endsAll({ problem }: WebhookProblem): boolean {
  return problem === 'webhook-failed';
}

type Say = (key: string, values?: Record<string, string | number>) => string;

function countsText(
  say: Say,
  { counts: { received, refused } }: DeliveryTally,
  keys: KeyStatus = { inUse: '' }
): string {
  const count = received + refused === 0 ? 'ready' : refused === 0 ? 'received' : 'received-refused';
  const inUse = typeof keys.inUse === 'string' ? keys.inUse : keys.inUse();
  return [say(count, { received, refused }), inUse].filter((text) => text !== '').join(', ');
}

interface WebhookNodeSettings extends EndpointSettings {
  /** Seconds. */
  tolerance: number;
  /** Days. */
  keep: number;
  rejectedOutput: boolean;
  withRawBody: boolean;
}

/** @throws CodedError `BAD_SETTING` */
function readSettings(
  config: WebhookNodeConfig,
  node: RedNode,
  provider: WebhookProvider
): WebhookNodeSettings {
  return {
    scope: node.id,
    reply: readChoice(config.reply, 'Answer', REPLIES),
    replyTimeoutMs: 1000 * readNumber(config.replyTimeout, 'Time limit', REPLY_TIMEOUT),
    duplicates: readChoice(config.duplicates, 'Duplicates', DUPLICATES),
    maxBody: readNumber(config.maxBody, 'Body limit', MAX_BODY),
    acceptGet: provider.acceptGet,
    tolerance: readNumber(config.tolerance, 'Tolerance', provider.tolerance),
    keep: readNumber(config.keep, 'Keep', KEEP),
    rejectedOutput: readBoolean(config.rejectedOutput, false),
    withRawBody: readBoolean(config.rawBody, false)
  };
}

function sharesAdminRoot({ httpAdminRoot, httpNodeRoot }: NodeRedApi['settings']): boolean {
  if (httpAdminRoot === false || httpNodeRoot === false) return false;
  return comparablePath(httpAdminRoot ?? '/') === comparablePath(httpNodeRoot ?? '/');
}

function flowMessage(
  RED: NodeRedApi,
  message: WebhookMessage,
  exchange: Exchange | null
): FlowMessage & { _msgid: string } {
  const { topic, payload, event } = message;
  const sent: FlowMessage & { _msgid: string } = { _msgid: RED.util.generateId(), topic, payload, event };
  if (exchange !== null) {
    const { request, response } = exchange;
    // Node.js parses headers on first use and hides the property; the Debug sidebar should show it.
    Object.defineProperty(request, 'headers', { value: request.headers, enumerable: true });
    sent['req'] = request;
    sent['res'] = { _res: response };
  }
  return sent;
}
