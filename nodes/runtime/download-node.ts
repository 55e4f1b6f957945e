import type { ArchiveOrder } from '../../src/archive/archive-job';
import { ArchiveProgress } from '../../src/archive/archive-progress';
import { keptMessage } from '../../src/archive/kept-message';
import type { FileOutcome } from '../../src/archive/pass-result';
import { CodedError } from '../../src/errors/coded-error';
import { answerResponse } from './answer-response';
import { archiveState } from './archive-state';
import type { DownloadSettings } from './download-settings';
import { showDownloads, type Say } from './download-status';
import { createDownloadWork, type DownloadEvents, type DownloadWork } from './download-work';
import { LiveMessages } from './live-messages';
import type { FlowMessage, NodeRedApi, RedNode, Send } from './node-red';
import type { NodeStatus } from './node-status';
import { asError } from './on-input';
import type { SourceSettings } from './recording-sources';
import { failureOf, jobsOf, storedFiles, storedLine, storedMessages } from './recording-messages';

/** What a download node does with its messages. */
export class DownloadNode implements DownloadEvents {
  readonly #live = new LiveMessages();
  readonly #progress = new ArchiveProgress(() => this.#show());
  #failure: string | null = null;
  #work: DownloadWork | undefined;

  constructor(
    private readonly RED: NodeRedApi,
    private readonly node: RedNode,
    private readonly settings: DownloadSettings,
    private readonly sources: SourceSettings,
    private readonly status: NodeStatus,
    private readonly say: Say
  ) {}

  /**
   * Goes on with what was left.
   *
   * @throws CodedError `STORE_FAILED` while the state cannot be written; every message tries again
   */
  async start(): Promise<void> {
    try {
      await this.#opened();
    } catch (error) {
      if (error instanceof CodedError) this.#fail(error);
      throw error;
    }
  }

  /**
   * Stores what a message asks for. Resolves when all of it is stored.
   *
   * @throws CodedError when something was given up, or the job could not be written down
   */
  async store(message: FlowMessage, send: Send): Promise<void> {
    const jobs = jobsOf(message, this.settings.format);
    await new Promise<void>((resolve, reject) => {
      const end = (error: Error | null): void => (error === null ? resolve() : reject(error));
      let order = '';
      const accept = async (): Promise<void> => {
        const { queue } = await this.#opened();
        await queue.add(keptMessage(message), jobs, (id) => {
          order = id;
          this.#live.add(id, { message, send, end });
        });
        if (this.settings.answer === 'queued') answerResponse(message, 200);
      };
      accept().catch((error: unknown) => {
        this.#live.take(order);
        if (error instanceof CodedError) this.#fail(error);
        if (this.settings.answer !== 'never') answerResponse(message, 503);
        end(asError(error));
      });
    });
  }

  /** @param removed whether the node is deleted or disabled, not just deployed again */
  async close(removed: boolean): Promise<void> {
    this.#live.clear();
    await this.#work?.close(removed);
  }

  readonly deliver = (order: ArchiveOrder, outcomes: FileOutcome[]): void => {
    const { node, settings } = this;
    const live = this.#live.take(order.id);
    const message: FlowMessage = live?.message ?? { ...order.message };
    const send: Send = live?.send ?? ((messages) => node.send(messages));
    const files = storedFiles(outcomes);
    const error = failureOf(outcomes);
    this.#failure = error?.code ?? null;
    this.#show();
    for (const { recording } of files) node.log(storedLine(recording));
    if (files.length > 0) send([storedMessages(this.RED, message, files)]);
    if (error === null && settings.answer === 'stored') answerResponse(message, 200);
    if (live !== undefined) live.end(error);
    else if (error !== null) node.error(error, message);
  };

  readonly onNotDeleted = (order: ArchiveOrder, reason: string, error: CodedError | null): void => {
    const text = `The recording is stored, but it was not deleted at the source: ${reason}`;
    if (error === null) this.node.warn(text);
    else this.node.error(new CodedError(error.code, text, { cause: error }), { ...order.message });
  };

  readonly onDetailsMissing = (message: string): void => this.node.log(message);

  readonly onFault = (error: CodedError): void => {
    this.#fail(error);
    this.node.warn(error.message);
  };

  readonly onNotice = (text: string, level: 'info' | 'warning'): void => {
    if (level === 'warning') this.node.warn(text);
    else this.node.log(text);
  };

  async #opened(): Promise<DownloadWork> {
    if (this.#work !== undefined) return this.#work;
    const state = archiveState(this.RED);
    this.#work = createDownloadWork(this.node.id, this.settings, this.sources, state, this.#progress, this);
    await this.#work.start();
    return this.#work;
  }

  #fail(error: CodedError): void {
    this.#failure = error.code;
    this.#show();
  }

  #show(): void {
    showDownloads(this.status, this.say, this.#progress.summary(), this.#failure);
  }
}
