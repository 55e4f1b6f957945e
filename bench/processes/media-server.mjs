// A storage of recordings, as a separate process with minimal cost.
// `/<name>?size=<bytes>` is a WAV file of that many bytes: noise from one buffer after a header that contains
// the name, so that no two files are equal. Prints the port, which may be given as an argument.
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

const piece = randomBytes(1024 * 1024);

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://bench');
  const size = Number(searchParams.get('size'));
  response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': size, etag: '"bench"' });
  const head = headOf(pathname, size);
  let left = size - head.length;
  response.write(head);
  const send = () => {
    while (left > 0) {
      const next = left < piece.length ? piece.subarray(0, left) : piece;
      left -= next.length;
      if (!response.write(next) && left > 0) {
        response.once('drain', send);
        return;
      }
    }
    response.end();
  };
  send();
});
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => console.log(`port ${server.address().port}`));

function headOf(name, size) {
  const head = Buffer.alloc(108);
  head.write('RIFF', 0);
  head.writeUInt32LE(size - 8, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(2, 22);
  head.writeUInt32LE(8000, 24);
  head.writeUInt32LE(32000, 28);
  head.writeUInt16LE(4, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36);
  head.writeUInt32LE(size - 44, 40);
  head.write(name.slice(-64), 44);
  return head;
}
