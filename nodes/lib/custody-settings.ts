import type { EventEmitter } from 'node:events';
import { KeyedMutex } from '../../src/concurrency/keyed-runs';
import { type CustodyEntry, sha256Hex } from '../../src/evidence/custody/custody-line';
import type { CustodySink } from '../../src/evidence/custody/custody-recorder';
import type { StateDatabase } from '../../src/state/state-database';
import type { NodeConfig, NodeRedApi } from './node-red';

const OUR_TYPE = /^(?:telnyx|daily)-[a-z-]+$/;

/** What changes nothing that a node does, and what is secret. */
const IGNORED: ReadonlySet<string> = new Set([
  ...['id', 'type', 'name', 'x', 'y', 'z', 'w', 'h', 'g', 'l', 'wires', 'info', 'icon', 'users'],
  ...['inputLabels', 'outputLabels', 'credentials']
]);

/**
 * Enters into the custody log which of our nodes have other settings than the last time, each with a hash of what is saved of it.
 *
 * @throws as the database does
 */
export function noteSettings(RED: NodeRedApi, custody: CustodySink, database: StateDatabase): Promise<void> {
  // The first node may begin with the deploy that is looked at as well.
  return turns.run('settings', () => enterSettings(RED, custody, database));
}

const turns = new KeyedMutex();

async function enterSettings(RED: NodeRedApi, custody: CustodySink, database: StateDatabase): Promise<void> {
  const notes = database.collection<string>('custody-settings');
  const before = new Map([...notes.range({})].map(({ key, value }) => [String(key), value]));
  const entries: CustodyEntry[] = [];
  const changes = [];
  for (const [node, { type, settings }] of settingsOf(RED)) {
    const key = sha256Hex(node);
    const known = before.get(key);
    before.delete(key);
    if (known === settings) continue;
    entries.push(entryOf({ node, type, settings }));
    changes.push(notes.putting(key, settings));
  }
  for (const key of before.keys()) {
    entries.push(entryOf({ node: `sha256:${key}`, settings: 'removed' }));
    changes.push(notes.removing(key));
  }
  if (changes.length === 0) return;
  await custody.recorded(entries);
  await database.commitSoon(changes);
}

function settingsOf(RED: NodeRedApi): Map<string, { type: string; settings: string }> {
  const found = new Map<string, { type: string; settings: string }>();
  RED.nodes.eachNode((saved) => {
    if (OUR_TYPE.test(saved.type)) found.set(saved.id, { type: saved.type, settings: hashOf(saved) });
  });
  return found;
}

function hashOf(saved: NodeConfig): string {
  const told = Object.entries(saved)
    .filter(([name]) => !IGNORED.has(name))
    .sort(([one], [other]) => (one < other ? -1 : 1));
  return sha256Hex(JSON.stringify(told));
}

function entryOf(details: Record<string, string>): CustodyEntry {
  return { event: 'settings-changed', actor: 'deploy', details };
}

const watched = new WeakSet<EventEmitter>();

/** Calls back after each deploy, and after the start. Called when the package loads. */
export function onDeployed(RED: NodeRedApi, look: () => void): void {
  if (watched.has(RED.events)) return;
  watched.add(RED.events);
  RED.events.on('flows:started', () => setImmediate(look));
}
