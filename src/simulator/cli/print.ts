/** Prints one line for the user. */
export type Print = (line: string) => void;

/**
 * Prints to stdout. When its reader goes away (`… | head`), the program ends without a stack trace;
 * its exit handlers clean up what it has started.
 */
export function printToStdout(): Print {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(1);
  });
  return (line) => void process.stdout.write(`${line}\n`);
}
