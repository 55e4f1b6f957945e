import { spawn } from 'node:child_process';
import path from 'node:path';
import { TcpRelay } from '../../test/support/tcp-relay';
import { NodeRedProcess, RECEIVED_FILE } from '../../test/support/node-red-process';
import { LineFile } from '../runs/line-file';
import { DELIVERED, FAILED, flowOf, type FlowOptions, LISTED, STORED } from './flow';

/** What the probe writes. */
interface Line {
  at: string;
  id?: string;
  time: number;
  stored?: { id?: string; sha256?: unknown; already_stored?: unknown };
  error?: string;
}

/** Where the lines of all instances are brought together. */
export interface Notes {
  delivered(id: string, time: number): void;
  stored(instance: string, line: { id: string; sha256: unknown; already_stored: unknown }): void;
  failed(instance: string, error: string): void;
  listed(instance: string): void;
}

/** One Node-RED, and its own way to Redis. */
export class Instance {
  readonly #lines: LineFile<Line>;
  #resume: (() => void) | undefined;

  private constructor(
    readonly name: string,
    readonly nodeRed: NodeRedProcess,
    /** Undefined: it shares nothing. */
    readonly way: TcpRelay | undefined
  ) {
    this.#lines = new LineFile(path.join(nodeRed.userDir, RECEIVED_FILE));
  }

  /** @param redisPort undefined: it shares nothing */
  static async start(name: string, { redisPort, ...options }: FlowOptions): Promise<Instance> {
    const way = redisPort === undefined ? undefined : await TcpRelay.start(redisPort);
    try {
      const nodeRed = await NodeRedProcess.start({
        flow: flowOf({ ...options, redisPort: way?.port }),
        probe: true,
        env: { TEST_RECEIVED_IDS: 'yes' }
      });
      return new Instance(name, nodeRed, way);
    } catch (error) {
      await way?.close();
      throw error;
    }
  }

  /** Passes on what was written since the last call. */
  read(notes: Notes): void {
    for (const { at, id = '', time, stored, error } of this.#lines.added()) {
      if (at === DELIVERED) notes.delivered(id, time);
      else if (at === STORED) {
        const { id: recording = '', sha256, already_stored } = stored ?? {};
        notes.stored(this.name, { id: recording, sha256, already_stored });
      }
      // Two triggers of one instance at the same moment: the second is refused, which is right.
      else if (at === FAILED && error?.startsWith('ALREADY_RUNNING') !== true)
        notes.failed(this.name, `${id} ${error ?? ''}`);
      else if (at === LISTED) notes.listed(this.name);
    }
  }

  /** Stops the process, as a machine does that is short of memory: its connections stay open. */
  freeze(): void {
    const { pid } = this.nodeRed;
    process.kill(pid, 'SIGSTOP');
    // Goes on, and so ends, also when this process is killed meanwhile.
    const guard = spawn('sh', ['-c', `cat >/dev/null; kill -CONT ${pid}`], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true
    });
    this.#resume = () => guard.stdin.end();
  }

  resume(): void {
    this.#resume?.();
    this.#resume = undefined;
  }

  async close(): Promise<void> {
    this.resume();
    this.way?.mend();
    await this.nodeRed.stop();
    await this.way?.close();
  }
}
