import type { NodeStatus, Say } from '../lib/node-status';
import type { ArchiveRequest } from './archive-settings';
import type { ArchiveProgress, ArchiveResult } from './archive-work';

type Shown = Pick<NodeStatus, 'working' | 'problem' | 'ready' | 'off'>;

/** Shows what an archive node is doing: `12 deleted · 3400 looked at`, and how the last run ended. */
export class ArchiveStatus {
  readonly #status: Shown;
  readonly #say: Say;

  constructor(status: Shown, say: Say) {
    this.#status = status;
    this.#say = say;
  }

  progress(request: ArchiveRequest, { done, looked }: Readonly<ArchiveProgress>): void {
    this.#status.working(
      () => `${this.#say(wordOf(request), { count: done })} · ${this.#say('looked', { count: looked })}`
    );
  }

  ended(request: ArchiveRequest, result: ArchiveResult): void {
    if (typeof result['clock_doubt'] === 'string' && request.action === 'sweep') {
      this.#status.problem(() => this.#say('clock'));
      return;
    }
    const of = (name: string): number => (typeof result[name] === 'number' ? result[name] : 0);
    const isComplete = result['complete'] !== false;
    const text = (): string =>
      [
        this.#say(wordOf(request), { count: DONE[request.action].reduce((sum, name) => sum + of(name), 0) }),
        ...(of('refused') > 0 ? [this.#say('refused', { count: of('refused') })] : []),
        ...(of('failed') > 0 ? [this.#say('not-deleted', { count: of('failed') })] : []),
        ...(of('differences') > 0 ? [this.#say('differences', { count: of('differences') })] : []),
        ...(isComplete ? [] : [this.#say('more')])
      ].join(' · ');
    if (of('failed') > 0 || of('differences') > 0) this.#status.problem(text);
    else this.#status.ready(text);
  }

  failed(code: string): void {
    this.#status.problem(() => this.#say('failed', { code }));
  }

  off(): void {
    this.#status.off();
  }
}

/** The counts of a result that say how much was done. */
const DONE: Readonly<Record<ArchiveRequest['action'], readonly string[]>> = {
  find: ['found'],
  hold: ['held', 'known'],
  release: ['released'],
  sweep: ['deleted'],
  erase: ['deleted'],
  verify: ['checked'],
  report: ['files']
};

const WORDS: Readonly<Record<ArchiveRequest['action'], string>> = {
  find: 'found',
  hold: 'held',
  release: 'released',
  sweep: 'deleted',
  erase: 'deleted',
  verify: 'checked',
  report: 'reported'
};

/** The text with the count of what was done. */
function wordOf(request: ArchiveRequest): string {
  const isDryRun = (request.action === 'sweep' || request.action === 'erase') && request.isDryRun;
  return isDryRun ? 'to-delete' : WORDS[request.action];
}
