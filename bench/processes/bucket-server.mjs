// A bucket that hashes uploads and keeps none of them, with the part of the S3 protocol for uploads. Rejects a
// sidecar whose hash differs from that of its object. Prints the port.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';

const uploads = new Map();
const objects = new Map();
const xml = (response, status, body) =>
  response.writeHead(status, { 'content-type': 'application/xml' }).end(body);
const begun = () => ({ size: 0, hash: createHash('sha256') });

const server = createServer((request, response) => {
  const { pathname, searchParams: query } = new URL(request.url, 'http://bench');
  const key = pathname.split('/').pop();
  if (request.method === 'GET' || request.method === 'HEAD') {
    const found = objects.get(key);
    if (found === undefined) xml(response, 404, '<Error><Code>NoSuchKey</Code></Error>');
    else
      response.writeHead(206, { 'content-range': `bytes 0-0/${found.size}`, 'content-length': 1 }).end('x');
  } else if (query.has('uploads')) {
    uploads.set(key, begun());
    const answer = `<UploadId>${key}</UploadId>`;
    xml(response, 200, `<InitiateMultipartUploadResult>${answer}</InitiateMultipartUploadResult>`);
  } else if (request.method === 'POST') {
    request.resume();
    finish(key, uploads.get(key) ?? begun());
    xml(response, 200, '<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>');
  } else {
    const isPart = query.has('partNumber');
    const upload = (isPart ? uploads.get(key) : undefined) ?? begun();
    const text = [];
    request.on('data', (bytes) => {
      upload.size += bytes.length;
      upload.hash.update(bytes);
      if (key.endsWith('.json')) text.push(bytes);
    });
    request.on('end', () => {
      if (!isPart) finish(key, upload);
      if (text.length === 0 || tellsTheHash(key, text)) response.writeHead(200, { etag: '"x"' }).end();
      else xml(response, 400, '<Error><Code>InvalidObjectName</Code></Error>');
    });
  }
});
server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`));

function finish(key, { size, hash }) {
  uploads.delete(key);
  objects.set(key, { size, sha256: hash.digest('hex') });
}

function tellsTheHash(key, text) {
  const { sha256 } = JSON.parse(Buffer.concat(text).toString());
  return objects.get(key.slice(0, -'.json'.length))?.sha256 === sha256;
}
