import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import should from 'should';
import { CodedError } from '../../../src/errors/coded-error';
import { createMessageStore } from '../../../src/store/message-store';
import type { PartialCopy } from '../../../src/store/store';
import { createTransferAgents, type TransferAgents } from '../../../src/transfer/transfer-agents';
import { transfer } from '../../../src/transfer/transfer';
import type { TransferRequest, TransferResult } from '../../../src/transfer/transfer-types';

export function newCopy(): Promise<PartialCopy> {
  return createMessageStore(1e9).openPart('test');
}

export async function held(copy: PartialCopy): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const bytes of copy.read()) pieces.push(Buffer.from(bytes));
  return Buffer.concat(pieces);
}

export function testRequest(url: string, into: PartialCopy): TransferRequest {
  return {
    url,
    network: 'any',
    kind: 'audio',
    maxSize: 0,
    stallTimeoutMs: 5000,
    into,
    signal: new AbortController().signal
  };
}

/** Runs transfers over pools of their own; close it after each test. */
export class Transfers {
  readonly agents: TransferAgents;

  constructor(options?: Parameters<typeof createTransferAgents>[0]) {
    this.agents = createTransferAgents(options);
  }

  async run(url: string, into: PartialCopy, over: Partial<TransferRequest> = {}): Promise<TransferResult> {
    return await transfer({ ...testRequest(url, into), ...over }, { agents: this.agents });
  }

  /** The error of a transfer that must fail; checks that it gives nothing away. */
  async fail(url: string, into: PartialCopy, over: Partial<TransferRequest> = {}): Promise<CodedError> {
    let result: TransferResult;
    try {
      result = await this.run(url, into, over);
    } catch (error) {
      should(error).be.instanceof(CodedError);
      const coded = error as CodedError;
      should(coded.message).not.match(/X-Amz|sigsecret|Bearer/);
      return coded;
    }
    throw new Error(`expected a failure, got ${JSON.stringify(result)}`);
  }

  close(): Promise<void> {
    return this.agents.close();
  }
}

export interface RawServer {
  url: string;
  /** Head of every request, as text. */
  requests: string[];
  close(): Promise<void>;
}

/** A server that answers each request with whatever bytes the test writes, HTTP or not. */
export async function rawServer(answer: (socket: Socket, requestNumber: number) => void): Promise<RawServer> {
  const sockets = new Set<Socket>();
  const requests: string[] = [];
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    let text = '';
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      if (!text.includes('\r\n\r\n')) return;
      requests.push(text);
      text = '';
      answer(socket, requests.length);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/call.wav`,
    requests,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    }
  };
}
