import type { Phase, RunSummary } from '../../src/reconcile/reconcile';
import type { NodeStatus, Say } from '../lib/node-status';

/** What is shown of a summary. */
export type ShownSummary = Pick<RunSummary, 'listed' | 'emitted' | 'complete'> &
  Partial<Pick<RunSummary, 'transcripts' | 'verify' | 'rebuild'>>;

/**
 * Shows what a list node is doing: `1250 listed · 37 fetched`, `1200 checked · 5 damaged`, what it waits
 * for, and how the last run ended.
 */
export class ListStatus {
  readonly #status: Pick<NodeStatus, 'working' | 'waiting' | 'problem' | 'ready' | 'idle'>;
  readonly #say: Say;
  #summary: ShownSummary | null = null;
  #phase: Phase = 'list';
  #reason: 'api' | 'downloads' | null = null;

  constructor(status: Pick<NodeStatus, 'working' | 'waiting' | 'problem' | 'ready' | 'idle'>, say: Say) {
    this.#status = status;
    this.#say = say;
  }

  begin(): void {
    this.#summary = null;
    this.#reason = null;
    this.#status.working(() => this.#say('begun'));
  }

  progress(summary: ShownSummary, phase: Phase): void {
    this.#summary = summary;
    this.#phase = phase;
    this.#show();
  }

  waiting(reason: 'api' | 'downloads' | null): void {
    this.#reason = reason;
    this.#show();
  }

  /** @param trouble what is wrong besides */
  ended(summary: ShownSummary, trouble = ''): void {
    const text = (): string =>
      [`${this.#counts(summary)}${this.#say(summary.complete ? 'complete' : 'incomplete')}`, trouble]
        .filter((part) => part !== '')
        .join(' · ');
    if (summary.complete && trouble === '') this.#status.ready(text);
    else this.#status.problem(text);
  }

  /** @param host name of the machine that runs the list */
  elsewhere(host: string): void {
    this.#status.idle(() => this.#say('elsewhere', { host }));
  }

  failed(code: string): void {
    this.#status.problem(() => this.#say('failed', { code }));
  }

  #show(): void {
    const summary = this.#summary;
    const reason = this.#reason;
    const counts = (): string => (summary === null ? '' : this.#counts(summary));
    if (reason === null) this.#status.working(() => `${counts()}${this.#say(this.#phase)}`);
    else this.#status.waiting(() => `${counts()}${this.#say(`waiting-${reason}`)}`);
  }

  #counts({ listed, emitted, transcripts, verify, rebuild }: ShownSummary): string {
    const parts: string[] = [];
    if (rebuild !== undefined) parts.push(this.#say('sidecars', { count: rebuild.sidecars }));
    if (listed > 0) parts.push(this.#say('listed', { count: listed }));
    if (transcripts !== undefined) parts.push(this.#say('transcripts-listed', { count: transcripts.listed }));
    if (verify !== undefined) parts.push(this.#say('checked', { count: verify.files }));
    if (emitted > 0) parts.push(this.#say('emitted', { count: emitted }));
    return parts.map((part) => `${part} · `).join('');
  }
}
