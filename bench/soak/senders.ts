import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { type Delivery, holdEvent } from '../../test/support/deliveries';
import { seededNumbers } from '../../test/support/seeded-numbers';
import { checkSigner, KEY, recordingEvent, signedDelivery, STRANGER_KEY } from '../runs/signed-deliveries';

const FORGED = 0.05;
const DUPLICATES = 0.05;
/** Sizes are spread evenly by their order of magnitude, as those of calls are. */
const SMALLEST = 200_000;
const LARGEST = 50_000_000;
const TICK_MS = 10;
const MOST_A_TICK = 40;
/** As a provider does, but sooner. */
const RETRY_MS = 1000;
const SLOW_CLIENTS = 20;
/** Deliveries of which a duplicate may be sent. */
const RECENT = 2000;

export interface SendersOptions {
  port: number;
  path: string;
  /** Deliveries a second. */
  rate: number;
  /** Recordings a second, as a part of them. */
  recordings: number;
  /** The origin of the recordings. */
  storage: string;
  seed: number;
}

/** Senders at a fixed rate, however long the receiver takes: genuine, forged, repeated and slow ones. */
export class Senders {
  /** Ids of the genuine deliveries that were answered 200. */
  readonly accepted = new Set<string>();
  /** Of those, the ids of recordings, with their sizes in bytes. */
  readonly recordings = new Map<string, number>();
  /** Requests by what they were and how they were answered; 0 is no answer. */
  readonly answers = new Map<string, number>();
  readonly #options: SendersOptions;
  readonly #numbers: Generator<number, never>;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });
  readonly #recent: Delivery[] = [];
  readonly #slow = new Set<Socket>();
  readonly #retries = new Set<NodeJS.Timeout>();
  #sent = 0;
  #open = 0;
  #isStopped = false;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;

  /** @throws Error when node:crypto and tweetnacl sign differently */
  constructor(options: SendersOptions) {
    checkSigner();
    this.#options = options;
    this.#numbers = seededNumbers(options.seed);
  }

  start(): void {
    const begun = performance.now();
    this.#timer = setInterval(() => {
      const due = ((performance.now() - begun) / 1000) * this.#options.rate;
      // Bounded, so that a machine that cannot keep up still reads the answers.
      for (let count = 0; this.#sent < due && count < MOST_A_TICK; count += 1) {
        this.#sent += 1;
        this.#sendOne();
      }
    }, TICK_MS);
    for (let client = 0; client < SLOW_CLIENTS; client += 1) this.#connectSlowly();
  }

  /** Sends nothing new. Genuine deliveries are sent until they are accepted. */
  stop(): void {
    clearInterval(this.#timer);
    this.#isStopped = true;
    for (const socket of this.#slow) socket.destroy();
  }

  /** Whether each genuine delivery is accepted. */
  get isSettled(): boolean {
    return this.#isStopped && this.#open === 0 && this.#retries.size === 0;
  }

  get sent(): number {
    return this.#sent;
  }

  /** Ends all that goes on. */
  close(): void {
    this.#isClosed = true;
    for (const timer of this.#retries) clearTimeout(timer);
    this.#agent.destroy();
  }

  #sendOne(): void {
    const which = this.#numbers.next().value;
    if (which < FORGED) this.#send('forged', signedDelivery(holdEvent(), STRANGER_KEY));
    else if (which < FORGED + DUPLICATES && this.#recent.length > 0)
      this.#send('duplicate', this.#recent[Math.floor(this.#numbers.next().value * this.#recent.length)]!);
    else this.#sendGenuine();
  }

  #sendGenuine(): void {
    const id = randomUUID();
    const isRecording = this.#numbers.next().value < this.#options.recordings / this.#options.rate;
    const size = Math.floor(SMALLEST * (LARGEST / SMALLEST) ** this.#numbers.next().value);
    const delivery = signedDelivery(isRecording ? this.#recording(id, size) : holdEvent(id), KEY);
    this.#sendUntilAccepted(delivery, () => {
      this.accepted.add(id);
      if (isRecording) this.recordings.set(id, size);
      if (this.#recent.length < RECENT) this.#recent.push(delivery);
      else this.#recent[Math.floor(this.#numbers.next().value * RECENT)] = delivery;
    });
  }

  #sendUntilAccepted(delivery: Delivery, whenAccepted: () => void): void {
    this.#send('genuine', delivery, (status) => {
      if (status === 200) whenAccepted();
      if (status === 200 || this.#isClosed) return;
      const timer = setTimeout(() => {
        this.#retries.delete(timer);
        this.#sendUntilAccepted(delivery, whenAccepted);
      }, RETRY_MS);
      this.#retries.add(timer);
    });
  }

  #send(kind: string, { body, headers }: Delivery, whenAnswered?: (status: number) => void): void {
    const { port, path } = this.#options;
    this.#open += 1;
    let isOpen = true;
    const end = (status: number): void => {
      if (!isOpen) return;
      isOpen = false;
      this.#open -= 1;
      const key = `${kind} ${status}`;
      this.answers.set(key, (this.answers.get(key) ?? 0) + 1);
      whenAnswered?.(status);
    };
    request({ port, path, host: '127.0.0.1', method: 'POST', headers, agent: this.#agent }, (response) => {
      response.resume();
      response.on('close', () => end(response.statusCode ?? 0));
    })
      .on('error', () => end(0))
      .end(body);
  }

  /** A sender that takes a second for each byte of its body, and comes back when it is cut off. */
  #connectSlowly(): void {
    if (this.#isStopped) return;
    const { port, path } = this.#options;
    const socket = connect({ port, host: '127.0.0.1' });
    this.#slow.add(socket);
    socket.write(`POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n`);
    socket.write('Content-Length: 100000\r\n\r\n');
    const timer = setInterval(() => socket.write('{'), 1000);
    socket.on('error', () => undefined).resume();
    socket.on('close', () => {
      clearInterval(timer);
      this.#slow.delete(socket);
      setTimeout(() => this.#connectSlowly(), RETRY_MS);
    });
  }

  #recording(id: string, size: number): string {
    return recordingEvent(id, `${this.#options.storage}/${id}?size=${size}`);
  }
}
