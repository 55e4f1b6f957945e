/**
 * For a suite in which each test needs the previous ones: once one fails, the rest is skipped. Mocha's own `bail` would also end
 * the other spec files of a parallel run.
 */
export function stopAtFailure(): void {
  let hasFailed = false;
  beforeEach(function () {
    if (hasFailed) this.skip();
  });
  afterEach(function () {
    hasFailed ||= this.currentTest?.state === 'failed';
  });
}
