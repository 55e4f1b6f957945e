import type { Socket } from 'node:net';
import should from 'should';
import { CodedError } from '../../../src/errors/coded-error';
import type { HttpResponse } from '../../../src/http/http-response';
import { HttpClient, type HttpClientOptions, type HttpRequest } from '../../../src/http/http-client';
import { rawServer, type RawServer } from '../../support/raw-server';

/** A client and a server for one test; both close after it. */
export class HttpStage {
  readonly client: HttpClient;

  private constructor(
    readonly server: RawServer,
    options: HttpClientOptions
  ) {
    this.client = new HttpClient({ wanted: 'file', ...options });
  }

  static async open(
    answer: (socket: Socket, requestNumber: number) => void,
    options: HttpClientOptions = {}
  ): Promise<HttpStage> {
    return new HttpStage(await rawServer(answer), options);
  }

  async close(): Promise<void> {
    this.client.destroy();
    await this.server.close();
  }

  ask(over: Partial<HttpRequest> = {}): Promise<HttpResponse> {
    const origin = new URL(this.server.url).origin;
    return this.client.request({ origin, path: '/call.wav', method: 'GET', ...over });
  }

  /** Sends a request and reads the whole response. */
  async text(over: Partial<HttpRequest> = {}): Promise<string> {
    const { body } = await this.ask(over);
    return (await readAll(body)).toString('latin1');
  }

  /** The error of an exchange that must fail, before or during its body. */
  async fault(over: Partial<HttpRequest> = {}): Promise<CodedError> {
    return faultOf(this.text(over));
  }
}

export async function readAll(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** The coded error of an operation that must fail, with a readable text. */
export async function faultOf(work: Promise<unknown>): Promise<CodedError> {
  let value: unknown;
  try {
    value = await work;
  } catch (error) {
    should(error).be.instanceof(CodedError);
    const coded = error as CodedError;
    should(coded.message).not.match(/TypeError|assert|undefined|Parse Error|\[object/);
    return coded;
  }
  throw new Error(`expected a failure, got ${String(value).slice(0, 100)}`);
}
