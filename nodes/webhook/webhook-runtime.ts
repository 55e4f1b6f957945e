import type { EventEmitter } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { CodedError } from '../../src/errors/coded-error';
import { rootCause } from '../../src/errors/root-cause';
import { type OwnerMiddleware, corsHandlersOf, handlersOf } from '../../src/webhook/express/express-app';
import type { OwnedState } from '../../src/state/owned-state';
import type { StateDatabase } from '../../src/state/state-database';
import { type RouteTable, routesOf } from '../../src/webhook/express/routes';
import { LocalIdentities } from '../../src/webhook/journal/delivery-identities';
import type { AcceptedDelivery, DeliveryJournal } from '../../src/webhook/journal/delivery-journal';
import type { Identities } from '../../src/webhook/journal/identities';
import { LogJournal } from '../../src/webhook/journal/log-journal';
import type { Span } from '../../src/webhook/log/delivery-log';
import type { LoggedDelivery } from '../../src/webhook/log/record';
import { atFirstLine } from '../lib/custody';
import type { NodeRedApi } from '../lib/node-red';
import type { SharedQueue } from '../config/queue/shared-queue';
import { HandOvers } from './hand-overs';
import { identitiesOfQueue } from './queue-identities';
import { catchUpReceived, noteReceived } from './received-lines';
import { KEEP } from './webhook-fields';
import { runningIds, savedDays } from './webhook-receivers';
import { ownedState, stateDatabase, stateDirectory } from '../lib/state';

/**
 * The route table of this Node-RED. Called when the package loads, so that the dispatcher comes before
 * the routes of any flow.
 */
export function deliveryRoutes(RED: NodeRedApi): RouteTable {
  handOvers(RED);
  const settle = (table: RouteTable): void => {
    RED.events.on('flows:started', () => {
      table.settle(databaseFor(RED, table));
      keepToPromises(RED);
    });
  };
  const { httpAdminRoot, httpAdminMiddleware, httpAdminAuth } = RED.settings;
  // Middleware before the admin app may be meant for everything below its root.
  const guarded = httpAdminMiddleware !== undefined || httpAdminAuth !== undefined;
  const httpAdmin = httpAdminRoot === false ? undefined : RED.httpAdmin;
  return routesOf(RED.httpNode, settle, guarded ? undefined : { httpAdmin }, ownerMiddleware(RED));
}

/** What tells the custody log of accepted deliveries, once it is open; by the directory of the state. */
const receivedNotes = new Map<string, (delivery: AcceptedDelivery) => void>();

atFirstLine(async (RED, custody) => {
  receivedNotes.set(stateDirectory(RED), (delivery) => noteReceived(custody, delivery));
  const { resumedFrom } = await custody.opened();
  await catchUpReceived(RED, custody, resumedFrom, (span) => loggedDeliveries(RED, span, () => undefined));
});

/** Opens the database only where it is useful: not where none of these nodes has ever been used. */
function databaseFor(RED: NodeRedApi, { size }: RouteTable): StateDatabase | null {
  try {
    return size > 0 || existsSync(stateDirectory(RED)) ? stateDatabase(RED) : null;
  } catch {
    // The webhook nodes report faults of the state.
    return null;
  }
}

/** Milliseconds between two log lines: a stranger must not fill the log. */
const LOG_INTERVAL_MS = 10_000;

/** `httpNodeMiddleware` and `httpNodeCors` apply to our addresses as to those of core *http in*. */
function ownerMiddleware(RED: NodeRedApi): OwnerMiddleware {
  let said = -Infinity;
  return {
    handlers: () => {
      const { httpNodeMiddleware, httpNodeCors } = RED.settings;
      const handlers = handlersOf(httpNodeMiddleware);
      return httpNodeCors ? [...handlers, ...corsHandlersOf(RED.httpNode)] : handlers;
    },
    onFault: (fault) => {
      if (performance.now() - said < LOG_INTERVAL_MS) return;
      said = performance.now();
      RED.log.error(
        'A delivery did not get past the middleware in settings.js (httpNodeMiddleware); its sender was asked to ' +
          `try again. The middleware said: ${rootCause(fault)}`
      );
    }
  };
}

/** Milliseconds between two removals of what was handed over. What is kept for days is checked only every hour. */
const TIDY_MS = 60 * 1000;
const TIDIES_AN_HOUR = 60;

/** The first of them that does so: a machine may never run for an hour, and nodes need a while to take what is theirs. */
const FIRST_HOURLY = 5;

/** MiB that all logs together may take. */
const USUAL_LOG_MIB = 512;

interface OpenJournal {
  journal: LogJournal;
  /** `OwnedState.losses` at the time of opening. */
  losses: number;
}

const journals = new Map<string, OpenJournal>();

/** How many days deliveries are kept: by the state's directory, then by the id of the node. */
const daysKept = new Map<string, Map<string, number>>();

/**
 * The one journal of this Node-RED. Unlike the nodes, it outlives redeploys. While its directory cannot be
 * written, or belongs to another process, nothing is accepted; every delivery tries again.
 */
export function deliveryJournal(RED: NodeRedApi): DeliveryJournal {
  const directory = stateDirectory(RED);
  const state = ownedState(RED);
  const open = (): LogJournal => openJournal(RED, directory, state);
  /** The custody log follows the answer and the hand-over; `recorded` does not depend on it. */
  const noted = <T>(delivery: AcceptedDelivery, recorded: Promise<T>): Promise<T> => {
    const note = receivedNotes.get(directory);
    if (note !== undefined)
      recorded.then(
        () => setImmediate(note, delivery),
        () => undefined
      );
    return recorded;
  };
  return {
    accept: (delivery) => noted(delivery, open().accept(delivery)),
    answered: (delivery, answer) => noted(delivery, open().answered(delivery, answer)),
    pending: (scope) => open().pending(scope),
    written: async () => journals.get(directory)?.journal.written()
  };
}

/** By the directory of the state. */
const identitiesOf = new Map<string, LocalIdentities>();

/**
 * Which deliveries this Node-RED has accepted, or is accepting. All of its nodes share them.
 *
 * @param queue null: nobody else accepts deliveries of this flow
 */
export function deliveryIdentities(RED: NodeRedApi, queue: SharedQueue | null): Identities {
  const directory = stateDirectory(RED);
  const state = ownedState(RED);
  const open = (): LogJournal => openJournal(RED, directory, state);
  const local =
    identitiesOf.get(directory) ??
    new LocalIdentities({
      find: (scope, id) => open().find(scope, id),
      remember: (scope, id, answer) => open().remember(scope, id, answer)
    });
  identitiesOf.set(directory, local);
  if (queue === null) return local;
  return identitiesOfQueue(queue, {
    local,
    since: async function* (at) {
      const journal = open();
      // The database lags a little behind the logs.
      await journal.written();
      yield* journal.identities.since(at);
    }
  });
}

/**
 * The kept deliveries of a span, oldest first, in batches.
 *
 * @param onGap called when deliveries that should be kept may be missing
 * @throws CodedError `NOT_RECORDED`, or as `OwnedState.database`
 */
export function loggedDeliveries(
  RED: NodeRedApi,
  span: Span,
  onGap: () => void
): AsyncIterable<readonly LoggedDelivery[]> {
  return openJournal(RED, stateDirectory(RED), ownedState(RED)).read(span, onGap);
}

/**
 * The logs of accepted deliveries, to look into; null where nothing was ever accepted.
 *
 * @throws as `loggedDeliveries`
 */
export function deliveryLogs(RED: NodeRedApi): Pick<LogJournal, 'logs' | 'isWaiting'> | null {
  const directory = stateDirectory(RED);
  // A look creates no state.
  if (!existsSync(path.join(directory, 'deliveries'))) return null;
  return openJournal(RED, directory, ownedState(RED));
}

/** For how many days the webhook nodes keep their deliveries, by their ids; disabled nodes, too. */
export function daysOfReceivers(RED: NodeRedApi): Map<string, number> {
  const days = savedDays(RED);
  const kept = keptIn(stateDirectory(RED));
  for (const id of runningIds(RED)) days.set(id, kept.get(id) ?? days.get(id) ?? KEEP.fallback);
  return days;
}

/** Old deliveries are removed even where no node receives any more, and those of a disabled node are not removed early. */
function keepToPromises(RED: NodeRedApi): void {
  const directory = path.join(stateDirectory(RED), 'deliveries');
  if (!existsSync(directory)) return;
  const kept = keptIn(stateDirectory(RED));
  const saved = savedDays(RED);
  const running = new Set(runningIds(RED));
  for (const id of kept.keys()) if (!saved.has(id) && !running.has(id)) kept.delete(id);
  for (const [id, days] of saved) if (!running.has(id)) kept.set(id, days);
  try {
    openJournal(RED, stateDirectory(RED), ownedState(RED));
  } catch {
    // The nodes that need it report this.
  }
}

/** Sets for how many days the deliveries of a node are kept. */
export function keepDeliveries(RED: NodeRedApi, node: string, days: number): void {
  keptIn(stateDirectory(RED)).set(node, days);
}

function keptIn(directory: string): Map<string, number> {
  const known = daysKept.get(directory) ?? new Map<string, number>();
  daysKept.set(directory, known);
  return known;
}

function openJournal(RED: NodeRedApi, directory: string, state: OwnedState): LogJournal {
  if (state.problem !== null) throw state.problem;
  const known = journals.get(directory);
  if (known !== undefined) {
    if (known.losses === state.losses && !known.journal.isLost) return known.journal;
    // The files may have changed since this journal was opened.
    journals.delete(directory);
    void known.journal.dispose();
  }
  try {
    const journal = new LogJournal({
      database: stateDatabase(RED),
      directory: path.join(directory, 'deliveries'),
      guard: (when) => state.guard(when),
      log: (text) => RED.log.warn(text),
      days: keptIn(directory),
      mostBytes: logSize() * 1024 * 1024
    });
    journals.set(directory, { journal, losses: state.losses });
    tidyRegularly(directory, journal);
    return journal;
  } catch (cause) {
    if (cause instanceof CodedError) throw cause;
    throw new CodedError(
      'NOT_RECORDED',
      `The state directory ${directory} cannot be written, so no delivery is accepted. Look at its ` +
        'permissions and at the free space.',
      { cause, retryable: true }
    );
  }
}

const handOversOf = new WeakMap<EventEmitter, HandOvers>();

/** This Node-RED's one watcher of hand-overs. Called when the package loads, before any node listens for the start. */
export function handOvers(RED: NodeRedApi): HandOvers {
  const known = handOversOf.get(RED.events);
  if (known !== undefined) return known;
  const added = new HandOvers(RED);
  handOversOf.set(RED.events, added);
  return added;
}

/** Old entries only take up space; what cannot be removed now is tried again later. */
function tidyRegularly(directory: string, journal: LogJournal): void {
  let round = 0;
  const timer = setInterval(() => {
    if (journals.get(directory)?.journal !== journal) {
      clearInterval(timer);
      return;
    }
    round += 1;
    journal.tidy({ isHourly: round % TIDIES_AN_HOUR === FIRST_HOURLY }).catch(() => undefined);
  }, TIDY_MS).unref();
}

function logSize(): number {
  const size = Number(process.env['TELNYX_DELIVERY_LOG_MIB']);
  return size > 0 ? size : USUAL_LOG_MIB;
}
