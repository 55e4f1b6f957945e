import { fillJobs } from '../growth/kinds';

/** Fills a state with waiting jobs: directory, count, origin of the recordings. */
async function main([directory = '', count = '', origin = '']: string[]): Promise<void> {
  await fillJobs(directory, Number(count), origin);
  // Timers of the state keep the process alive.
  process.exit(0);
}

void main(process.argv.slice(2));
