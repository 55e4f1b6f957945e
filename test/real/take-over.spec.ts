import { cpSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import { DeliveryLog } from '../../src/webhook/log/delivery-log';
import { findRecord, hashOf, previousHash } from '../../src/webhook/log/record';
import { readHeader, SEGMENT_HEAD } from '../../src/webhook/log/segment-header';
import { holdEvent, jsonDelivery } from '../support/deliveries';
import { RECEIVED_FILE, type RecordedMessage } from '../support/node-red-process';
import { until } from '../support/until';
import { webhookFlow, WebhookInstance } from '../support/webhook-instance';

/** A load balancer waits no longer for a Node-RED that does not answer. */
const PATIENCE_MS = 1500;

/** Milliseconds between two deliveries of one sender. */
const PACE_MS = 10;

const SENDERS = 4;

const OTHER_CONTAINER = ['--require', path.join(__dirname, '../support/other-container.cjs')];

/** Sends to several Node-REDs. What one refuses or does not answer goes to the next one, until one takes it. */
class Balancer {
  readonly accepted = new Set<string>();
  readonly sent = new Set<string>();
  /** How many each one accepted. */
  readonly by = new Map<WebhookInstance, number>();
  readonly #instances: WebhookInstance[];
  readonly #senders: Promise<void>;
  #isOpen = true;

  constructor(instances: WebhookInstance[]) {
    this.#instances = instances;
    this.#senders = Promise.all(Array.from({ length: SENDERS }, (_, sender) => this.#send(sender))).then(
      () => undefined
    );
  }

  add(instance: WebhookInstance): void {
    this.#instances.push(instance);
  }

  /** Waits until one has accepted so many more. */
  async more(count: number, instance: WebhookInstance): Promise<void> {
    const before = this.by.get(instance) ?? 0;
    const look = () => (this.by.get(instance) ?? 0) >= before + count || undefined;
    await until(`${count} deliveries more`, look, { deadline: 60_000 });
  }

  /** Resolves when everything that was sent is accepted. */
  async end(): Promise<void> {
    this.#isOpen = false;
    await this.#senders;
  }

  async #send(sender: number): Promise<void> {
    for (let count = 0; this.#isOpen; count += 1) {
      const id = `${sender}-${count}`;
      this.sent.add(id);
      for (let turn = sender + count; !(await this.#try(id, turn)); turn += 1);
      // The pace of the load; nothing is awaited.
      await new Promise((resolve) => setTimeout(resolve, PACE_MS));
    }
  }

  async #try(id: string, turn: number): Promise<boolean> {
    const instance = this.#instances[turn % this.#instances.length]!;
    const delivery = { ...jsonDelivery(holdEvent(id)), deadline: PATIENCE_MS };
    const answer = await instance.request('/telnyx', delivery).catch(() => undefined);
    if (answer?.status !== 200) return false;
    this.accepted.add(id);
    this.by.set(instance, (this.by.get(instance) ?? 0) + 1);
    return true;
  }
}

/** Reads the files of the log as another program would, and checks that each record continues the chain of hashes. */
function checkChain(directory: string): void {
  const names = readdirSync(directory).filter((name) => name.endsWith('.log'));
  const segments = names.sort().flatMap((name) => {
    const bytes = readFileSync(path.join(directory, name));
    const told = readHeader(bytes.subarray(0, SEGMENT_HEAD));
    // Allocated, and not used yet.
    if (told.kind === 'empty') return [];
    should(told.kind).equal('header', name);
    return told.kind === 'header' ? [{ name, bytes, header: told.header }] : [];
  });
  let previous: Buffer | undefined;
  for (const [index, { name, bytes, header }] of segments.entries()) {
    // A former owner may have written what its successor did not see, and nobody counts.
    const end = segments[index + 1]?.header.firstSequence ?? Infinity;
    if (previous !== undefined) should(header.previous.equals(previous)).equal(true, `the head of ${name}`);
    for (let at = SEGMENT_HEAD; ;) {
      const record = findRecord(bytes, at, header.marker);
      if (record === null || record.sequence >= end) break;
      should(record.at).equal(at, `a gap in ${name}`);
      if (previous !== undefined)
        should(previousHash(bytes, at).equals(previous)).equal(true, `${name}, record ${record.sequence}`);
      at += record.length;
      previous = hashOf(bytes.subarray(record.at, at));
    }
  }
}

describe('two Node-REDs with one user directory, under load', function () {
  this.timeout(240_000);
  let first: WebhookInstance;
  let second: WebhookInstance;
  let third: WebhookInstance | undefined;
  let load: Balancer | undefined;

  before(async () => {
    first = await WebhookInstance.start({ flow: webhookFlow(), probe: true });
    second = await first.beside();
    load = new Balancer([first, second]);
  });
  after(async () => {
    await load?.end();
    await third?.stop();
    await second.stop();
    await first.stop();
  });

  const received = (): RecordedMessage[] => first.nodeRed.recorded(RECEIVED_FILE);
  /** Ids in the order in which a flow got them; those that it got before, and no crash explains, are marked. */
  function checkReceived(): void {
    const { accepted, sent } = load!;
    const seen = new Set<string>();
    const repeated: string[] = [];
    for (const { event } of received()) {
      const id = String(event?.['id']);
      if (seen.has(id) && event?.['recovered'] !== true) repeated.push(id);
      seen.add(id);
    }
    should([...accepted].filter((id) => !seen.has(id))).deepEqual([], 'lost');
    should([...seen].filter((id) => !sent.has(id))).deepEqual([], 'made up');
    should(repeated).deepEqual([]);
  }
  async function checkLog(): Promise<void> {
    // Its owner writes it; what is read is a copy.
    const copy = path.join(first.nodeRed.userDir, 'copied-log');
    cpSync(path.join(first.nodeRed.userDir, 'telnyx', 'deliveries', 'keep-7'), copy, { recursive: true });
    checkChain(copy);
    const said: string[] = [];
    const log = new DeliveryLog({
      directory: copy,
      log: (text) => said.push(text),
      since: null,
      onEntry: () => undefined
    });
    const ids = new Set<string>();
    for await (const batch of log.read({ from: -Infinity, to: Infinity }))
      for (const { id } of batch) ids.add(id);
    await log.close();
    should([...load!.accepted].filter((id) => !ids.has(id))).deepEqual([]);
    should(said).deepEqual([]);
  }
  const faults = ({ nodeRed }: WebhookInstance): string[] =>
    nodeRed.log.split('\n').filter((line) => /uncaught|TypeError|damaged/i.test(line));

  it('bring every delivery to a flow when the owner is killed', async () => {
    await load!.more(100, first);
    await first.nodeRed.kill();
    await load!.more(100, second);
    should(faults(second)).deepEqual([]);
  });

  it('bring every delivery to a flow when the owner is stopped for so long that it is taken for dead, and resumes', async function () {
    if (process.platform !== 'linux') this.skip();
    // One that cannot see whether the owner only sleeps.
    third = await second.beside({ nodeArgs: OTHER_CONTAINER });
    load!.add(third);
    await load!.more(100, second);
    const owner = second.nodeRed.pid;
    process.kill(owner, 'SIGSTOP');
    try {
      await load!.more(50, third);
    } finally {
      process.kill(owner, 'SIGCONT');
    }
    const before = load!.by.get(second);
    await load!.more(150, third);
    should(load!.by.get(second)).equal(before);
    await load!.end();
    should((await third.deliver(jsonDelivery(holdEvent('last')))).status).equal(200);
    load!.sent.add('last');
    await until('the last one', () => received().some(({ event }) => event?.['id'] === 'last') || undefined);
    should(second.nodeRed.alive).be.true();
    should([...faults(second), ...faults(third)]).deepEqual([]);
    should(second.nodeRed.log).match(/STATE_IN_USE/);
    checkReceived();
    await checkLog();
  });
});
