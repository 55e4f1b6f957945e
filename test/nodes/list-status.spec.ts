import 'should';
import { ListStatus } from '../../nodes/list/list-status';
import { CodedError } from '../../src/errors/coded-error';
import { newSummary, noteError } from '../../src/reconcile/reconcile';

describe('the status of telnyx-recording-list', () => {
  let shown: string[];
  let status: ListStatus;

  beforeEach(() => {
    shown = [];
    const show =
      (kind: string) =>
      (text: string | (() => string)): void =>
        void shown.push(`${kind}: ${typeof text === 'string' ? text : text()}`);
    status = new ListStatus(
      {
        working: show('working'),
        waiting: show('waiting'),
        problem: show('problem'),
        ready: show('ready'),
        idle: show('idle')
      },
      (key, values) => [key, ...Object.values(values ?? {})].join(' ')
    );
  });

  const summary = (more: object = {}) => ({ ...newSummary(null, null, 0), ...more });

  it('shows how far a run has come, and why it waits', () => {
    status.begin();
    status.progress(summary({ listed: 250 }), 'list');
    status.waiting('api');
    status.waiting('downloads');
    status.waiting(null);
    const verify = { files: 9, intact: 7, changed: 1, missing: 1, unreadable: 0 };
    status.progress(summary({ listed: 250, emitted: 2, verify }), 'verify');
    shown.should.eql([
      'working: begun',
      'working: listed 250 · list',
      'waiting: listed 250 · waiting-api',
      'waiting: listed 250 · waiting-downloads',
      'working: listed 250 · list',
      'working: listed 250 · checked 9 · emitted 2 · verify'
    ]);
  });

  it('shows a problem when something may be missing', () => {
    const incomplete = summary({ listed: 3 });
    noteError(incomplete, new CodedError('LIST_INCOMPLETE', 'made up'));
    status.ended(summary({ listed: 3 }));
    status.ended(incomplete);
    status.failed('API_UNAUTHORIZED');
    shown.should.eql([
      'ready: listed 3 · complete',
      'problem: listed 3 · incomplete',
      'problem: failed API_UNAUTHORIZED'
    ]);
  });

  it('starts afresh with each run', () => {
    status.progress(summary({ listed: 250 }), 'list');
    status.waiting('api');
    status.begin();
    status.progress(summary(), 'list');
    shown.at(-1)!.should.equal('working: list');
  });
});
