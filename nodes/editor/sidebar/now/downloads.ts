import type { FileRow, NowFrame, NowSnapshot, PausingRow } from '../../../sidebar/now-request';
import { element } from '../elements';
import type { TabContext } from '../tab';
import { bytesText, countText, spanText, troubleText } from './formats';
import { RowList, type ShownRow } from './row-list';
import { dot, nodeLink, section, setText } from './section';

/** How much the latest moment counts for the speed that is shown. */
const LATEST = 0.25;

/** Bytes a second, smoothed. */
interface Speed {
  received: number;
  at: number;
  perSecond: number | null;
}

type Alias = (id: string) => string;

/** The files on their way, and the jobs that wait. */
export class Downloads {
  readonly element: HTMLElement;
  readonly #context: TabContext;
  readonly #section;
  readonly #files: RowList<FileRow>;
  readonly #pausing: RowList<PausingRow>;
  readonly #waiting = element('div', { class: 'telnyx-sidebar-note' });
  readonly #speeds = new Map<number, Speed>();
  #rows: readonly FileRow[] = [];
  #jobs: readonly PausingRow[] = [];
  /** When the times of `#jobs` were told. */
  #toldAt = 0;

  constructor(context: TabContext, alias: Alias) {
    this.#context = context;
    this.#files = new RowList(
      ({ key }) => String(key),
      () => this.#fileRow(alias)
    );
    this.#pausing = new RowList(
      ({ id }) => id,
      () => this.#pausingRow(alias)
    );
    this.#section = section(
      context.say('now.downloads'),
      this.#files.element,
      this.#pausing.element,
      this.#waiting
    );
    this.element = this.#section.element;
  }

  show({ files, pausing, waiting }: NowSnapshot): void {
    this.#rows = files;
    this.#jobs = pausing;
    this.#toldAt = performance.now();
    const keys = new Set(files.map(({ key }) => key));
    for (const key of this.#speeds.keys()) if (!keys.has(key)) this.#speeds.delete(key);
    for (const { key, received } of files) this.#measure(key, received);
    const { say } = this.#context;
    const active = files.filter(({ isActive }) => isActive).length;
    // Follow-ups are no downloads, so they are not counted as waiting.
    const known = files.length - active + pausing.filter(({ followUp }) => followUp === null).length;
    const inTurn = Math.max(0, waiting - known);
    const isIdle = active + waiting + pausing.length === 0;
    const others = inTurn === 0 ? '' : say('now.in-turn', { jobs: countText(inTurn) });
    setText(this.#waiting, isIdle ? say('now.no-downloads') : others);
    this.#section.head(active + waiting === 0 ? null : countText(active + waiting));
    this.tick();
  }

  follow({ files }: NowFrame): void {
    const latest = new Map(files.map((file) => [file[0], file]));
    this.#rows = this.#rows.map((row) => {
      const file = latest.get(row.key);
      if (file === undefined) return row;
      const [key, received, total, active] = file;
      this.#measure(key, received);
      return { ...row, received, total: total < 0 ? null : total, isActive: active === 1 };
    });
    this.#files.show(this.#rows);
  }

  /** Every second: what is shown of times. */
  tick(): void {
    this.#files.show(this.#rows);
    this.#pausing.show(this.#jobs);
  }

  #measure(key: number, received: number): void {
    const at = performance.now();
    const before = this.#speeds.get(key);
    if (before === undefined || received < before.received) {
      this.#speeds.set(key, { received, at, perSecond: null });
      return;
    }
    const seconds = (at - before.at) / 1000;
    if (seconds < 0.2) return;
    const now = (received - before.received) / seconds;
    const perSecond = before.perSecond === null ? now : LATEST * now + (1 - LATEST) * before.perSecond;
    this.#speeds.set(key, { received, at, perSecond });
  }

  #fileRow(alias: Alias): ShownRow<FileRow> {
    const { say } = this.#context;
    const [state, node] = [dot(), nodeLink(this.#context, alias)];
    const name = element('span', { class: 'telnyx-sidebar-name' });
    const facts = element('span', { class: 'telnyx-sidebar-facts' });
    const bar = element('progress', { max: 1 });
    const made = element(
      'div',
      { role: 'listitem' },
      element('div', { class: 'telnyx-sidebar-line' }, state.element, name, node.element),
      bar,
      facts
    );
    return {
      element: made,
      update: (row) => {
        const { recordingId, eventType, isActive, received, total } = row;
        state.show(isActive ? 'busy' : 'waiting');
        setText(name, recordingId ?? eventType ?? say('now.a-file'));
        name.title = [eventType, recordingId].filter((text) => text !== null).join(' · ');
        bar.setAttribute('aria-label', name.textContent);
        node.show(row.node);
        if (isActive && total === null) bar.removeAttribute('value');
        else bar.value = total === null || total === 0 ? 0 : received / total;
        setText(facts, isActive ? this.#progressText(row) : say('now.waits'));
      }
    };
  }

  #progressText({ key, received, total }: FileRow): string {
    const { say } = this.#context;
    const speed = this.#speeds.get(key)?.perSecond ?? null;
    const amount =
      total === null || total === 0
        ? bytesText(received)
        : say('now.of', {
            percent: Math.floor((100 * received) / total),
            received: bytesText(received),
            total: bytesText(total)
          });
    const rate = speed === null ? '' : say('now.speed', { speed: bytesText(speed) });
    const isKnown = speed !== null && speed > 0 && total !== null && total > received;
    const left = isKnown ? say('now.left', { time: spanText(say, (1000 * (total - received)) / speed) }) : '';
    return [amount, rate, left].filter((text) => text !== '').join(' · ');
  }

  #pausingRow(alias: Alias): ShownRow<PausingRow> {
    const { say } = this.#context;
    const [state, node] = [dot(), nodeLink(this.#context, alias)];
    const name = element('span', { class: 'telnyx-sidebar-name' });
    const facts = element('span', { class: 'telnyx-sidebar-facts' });
    state.show('waiting');
    const made = element(
      'div',
      { role: 'listitem' },
      element('div', { class: 'telnyx-sidebar-line' }, state.element, name, node.element),
      facts
    );
    return {
      element: made,
      update: (row) => {
        const { recordingId, eventType, others, trouble, attempt, of, followUp } = row;
        const more = others === 0 ? '' : ` ${say('now.others', { others })}`;
        setText(name, `${recordingId ?? eventType ?? say('now.a-file')}${more}`);
        name.title = [eventType, recordingId].filter((text) => text !== null).join(' · ');
        node.show(row.node);
        const leftMs = row.dueInMs - (performance.now() - this.#toldAt);
        const time = spanText(say, leftMs);
        const when = leftMs <= 0 ? say('now.due') : say('now.due-in', { time });
        const why = trouble === null ? '' : troubleText(trouble);
        const what = followUp === null ? '' : say('now.follow-up.' + followUp);
        const turn = trouble === null ? '' : say('now.attempt', { attempt, of });
        setText(facts, [why, what, turn, when].filter((text) => text !== '').join(' · '));
      }
    };
  }
}
