import { appendFileSync } from 'node:fs';
import { format } from 'node:util';
import Mocha from 'mocha';
import type { SpecEvent } from './outcomes';

const { Base, Spec } = Mocha.reporters;
const {
  EVENT_HOOK_BEGIN,
  EVENT_RUN_END,
  EVENT_TEST_BEGIN,
  EVENT_TEST_FAIL,
  EVENT_TEST_PASS,
  EVENT_TEST_PENDING
} = Mocha.Runner.constants;

/**
 * A reporter of mocha: the ordinary one, which also appends a line of JSON for each result to the file that the reporter option
 * `record` names. Each line is written at once, so that a process which dies leaves what it knew.
 */
class Recorder extends Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    const { record } = options.reporterOptions as { record: string };
    const write = (event: SpecEvent): void => {
      appendFileSync(record, `${JSON.stringify(event)}\n`);
    };
    /** A hook of all specs has no file; what mocha tells of one file is never mixed with what it tells of another. */
    let last = '';
    const fileOf = (runnable: Mocha.Runnable, error?: unknown): string =>
      (last = runnable.file ?? (error as { file?: string } | undefined)?.file ?? last);

    runner.on(EVENT_HOOK_BEGIN, (hook) => fileOf(hook));
    runner.on(EVENT_TEST_BEGIN, (test) => fileOf(test));
    runner.on(EVENT_TEST_PASS, (test) => {
      write({ kind: 'passed', spec: fileOf(test) });
    });
    runner.on(EVENT_TEST_PENDING, (test) => {
      write({ kind: 'skipped', spec: fileOf(test) });
    });
    // Of a test, of a hook, or of the process that ran the file.
    runner.on(EVENT_TEST_FAIL, (test: Mocha.Runnable, error: unknown) => {
      write({ kind: 'failed', spec: fileOf(test, error), text: textOf(test, error) });
    });
    runner.on(EVENT_RUN_END, () => {
      write({ kind: 'ended' });
    });
  }
}

/** What mocha writes of a failure at its end: titles, message, difference, stack, causes. */
function textOf(test: Mocha.Runnable, error: unknown): string {
  const written: string[] = [];
  const { consoleLog } = Base;
  Base.consoleLog = (...parts: unknown[]) => void written.push(format(...parts));
  try {
    // The test itself keeps its own error: it may have failed more than once.
    const failed = Object.create(test) as Mocha.Test;
    failed.err = error as Error;
    Base.list([failed]);
  } finally {
    Base.consoleLog = consoleLog;
  }
  return written.join('\n').trim();
}

export = Recorder;
