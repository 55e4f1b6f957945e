// A Node-RED in a process of its own, as far as shared jobs are concerned: node sharing-process.ts <port of Redis> <file>. Its
// runs end when there is a file of that name. It says what it does in lines.
import { existsSync } from 'node:fs';
import { NO_EFFECTS } from '../../../../src/archive/effects';
import type { JobOutcome } from '../../../../src/archive/queue/job-queue';
import { until } from '../../../support/until';
import { instanceOf } from './shared-jobs-stage';
import { joined } from '../sharing-fixture';

const [port = '', file = ''] = process.argv.slice(2);

async function run(): Promise<void> {
  const member = await joined('process', Number(port));
  const { jobs } = instanceOf(member, {
    concurrency: 1,
    work: async ({ message }, { mayReport }): Promise<JobOutcome> => {
      const name = String(message['name']);
      console.log(`begins ${name}`);
      await until('the file', () => existsSync(file), { deadline: 300_000 });
      if ((await mayReport?.()) !== true) {
        console.log(`lost ${name}`);
        return { kind: 'stopped', effects: NO_EFFECTS };
      }
      console.log(`tells ${name}`);
      return { kind: 'done', effects: NO_EFFECTS };
    }
  });
  jobs.start();
  console.log('started');
}

void run();
