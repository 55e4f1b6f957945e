// The minimum work of any receiver, without Node-RED: read, verify, parse, answer.
// Argument: the public key in base64. Prints the port.
import { createPublicKey, verify } from 'node:crypto';
import { createServer } from 'node:http';

const x = Buffer.from(process.argv[2] ?? '', 'base64').toString('base64url');
const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });

const server = createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    response.statusCode = accept(request.headers, Buffer.concat(chunks));
    response.setHeader('Content-Length', 0);
    response.end();
  });
});
server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`));

function accept(headers, body) {
  const timestamp = headers['telnyx-timestamp'] ?? '';
  if (!/^\d+$/.test(timestamp) || Math.abs(Date.now() / 1000 - Number(timestamp)) > 300) return 401;
  const signature = Buffer.from(headers['telnyx-signature-ed25519'] ?? '', 'base64');
  if (!verify(null, Buffer.concat([Buffer.from(`${timestamp}|`), body]), key, signature)) return 401;
  return typeof JSON.parse(body.toString()).data.event_type === 'string' ? 200 : 400;
}
