import { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { asFields } from '../../src/values/fields';
import type { SampleBody } from '../../src/samples/sample-body';
import type { Exchange } from '../../src/webhook/endpoint/flow-reply';
import type { NodeRedApi } from '../lib/node-red';

/** A connection that leads nowhere: what is written to it is dropped. */
class NoConnection extends Duplex {
  readonly remoteAddress = '127.0.0.1';
  readonly encrypted = false;

  override _read(): void {
    this.push(null);
  }

  override _write(_chunk: unknown, _encoding: BufferEncoding, done: () => void): void {
    done();
  }

  // What Node.js's HTTP calls on a socket.
  setTimeout(): this {
    return this;
  }
}

/**
 * Request and response of a sample, as core *http in* would have made them: flows use what Express adds, above all
 * *http response*. Nothing passes through the middleware of settings.js, and nothing is sent.
 *
 * @param path of the node
 */
export function sampleExchange(
  { httpNode }: Pick<NodeRedApi, 'httpNode'>,
  path: string,
  { rawBody, contentType }: SampleBody
): Exchange {
  const connection = new NoConnection() as unknown as Socket;
  const request = new IncomingMessage(connection);
  Object.assign(request, { method: 'POST', url: path });
  request.headers = {
    host: 'localhost',
    'content-type': contentType,
    'content-length': String(rawBody.length),
    'user-agent': 'sample'
  };
  request.complete = true;
  const response = new ServerResponse(request);
  response.assignSocket(connection);
  const { request: requestOf, response: responseOf } = httpNode;
  if (requestOf !== undefined) Object.setPrototypeOf(request, requestOf);
  if (responseOf !== undefined) Object.setPrototypeOf(response, responseOf);
  // Express 5 has a getter for `query`.
  for (const [name, value] of Object.entries({
    originalUrl: path,
    baseUrl: '',
    query: {},
    params: {},
    cookies: {},
    body: bodyOf(rawBody, contentType),
    res: response
  }))
    Object.defineProperty(request, name, {
      value,
      writable: true,
      configurable: true,
      enumerable: name !== 'res'
    });
  Object.defineProperty(response, 'req', { value: request, writable: true, configurable: true });
  Object.assign(response, { locals: {} });
  return { request, response };
}

/** As the body parser of core *http in* leaves it. */
function bodyOf(rawBody: Buffer, contentType: SampleBody['contentType']): unknown {
  const text = rawBody.toString('utf8');
  return contentType === 'application/json'
    ? asFields(JSON.parse(text))
    : Object.fromEntries(new URLSearchParams(text));
}
