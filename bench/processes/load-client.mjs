// The load generator, a separate process: signs its deliveries before the clock starts, then keeps a number of
// connections busy, with one delivery after another on each.
// Arguments: JSON {port, path, count, connections, seed, forged}. Prints `ready`, then one line of JSON.
import { createPrivateKey, randomUUID, sign } from 'node:crypto';
import { connect } from 'node:net';
import { performance } from 'node:perf_hooks';

const { port, path, count, connections, seed, forged } = JSON.parse(process.argv[2] ?? '{}');

/** The PKCS #8 prefix of the 32 bytes of an Ed25519 seed. */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');
const key = createPrivateKey({
  key: Buffer.concat([PKCS8, Buffer.alloc(32, forged ? seed + 1 : seed)]),
  format: 'der',
  type: 'pkcs8'
});

const timestamp = String(Math.floor(Date.now() / 1000));
const requests = Array.from({ length: count }, delivery);
const latencies = new Float64Array(count);
const statuses = {};
let next = 0;

console.log('ready');
const begun = process.hrtime.bigint();
await Promise.all(Array.from({ length: connections }, lane));
const seconds = Number(process.hrtime.bigint() - begun) / 1e9;
latencies.sort();
console.log(
  JSON.stringify({
    perSecond: count / seconds,
    p50: latencies[Math.floor(count * 0.5)],
    p99: latencies[Math.floor(count * 0.99)],
    seconds,
    statuses
  })
);

/** About the size of a real call event. */
function delivery() {
  const body = Buffer.from(
    JSON.stringify({
      data: {
        event_type: 'call.answered',
        id: randomUUID(),
        occurred_at: '2026-05-06T07:08:09.100000Z',
        payload: {
          call_control_id: `v3:${randomUUID()}${randomUUID()}`,
          call_leg_id: randomUUID(),
          call_session_id: randomUUID(),
          client_state: 'aGVsbG8gd29ybGQ=',
          connection_id: '1893004417265530112',
          custom_headers: [{ name: 'X-Customer', value: 'example' }],
          from: '+12025550101',
          to: '+12025550102',
          start_time: '2026-05-06T07:08:08.000000Z',
          state: 'answered'
        },
        record_type: 'event'
      },
      meta: { attempt: 1, delivered_to: 'https://example.com/telnyx' }
    })
  );
  const signature = sign(null, Buffer.concat([Buffer.from(`${timestamp}|`), body]), key).toString('base64');
  const head = [
    `POST ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    'User-Agent: telnyx-webhooks',
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    `telnyx-timestamp: ${timestamp}`,
    `telnyx-signature-ed25519: ${signature}`,
    '',
    ''
  ].join('\r\n');
  return Buffer.concat([Buffer.from(head), body]);
}

function lane() {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let index = -1;
    let sentAt = 0;
    let answer = '';
    const send = () => {
      index = next++;
      if (index >= count) {
        socket.end();
        resolve();
        return;
      }
      answer = '';
      sentAt = performance.now();
      socket.write(requests[index]);
    };
    socket.on('connect', send);
    socket.on('error', reject);
    socket.on('close', () => {
      if (index < count) reject(new Error(`The server closed the connection. It said: ${answer}`));
    });
    socket.setEncoding('latin1').on('data', (text) => {
      answer += text;
      const end = answer.indexOf('\r\n\r\n');
      if (end < 0) return;
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(answer)?.[1] ?? 0);
      if (answer.length < end + 4 + length) return;
      latencies[index] = performance.now() - sentAt;
      const status = answer.slice(9, 12);
      statuses[status] = (statuses[status] ?? 0) + 1;
      send();
    });
  });
}
