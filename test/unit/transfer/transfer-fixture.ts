import should from 'should';
import { CodedError } from '../../../src/errors/coded-error';
import type { PartialCopy } from '../../../src/store/destination';
import { createMessageStore } from '../../../src/store/message/message-store';
import { type TransferAgents, createTransferAgents } from '../../../src/transfer/source-request';
import { transfer } from '../../../src/transfer/transfer';
import type { TransferRequest, TransferResult } from '../../../src/transfer/transfer-types';

export { rawServer, type RawServer } from '../../support/raw-server';

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

/** Runs transfers over its own pools; close it after each test. */
export class Transfers {
  readonly agents: TransferAgents;

  constructor(options?: Parameters<typeof createTransferAgents>[0]) {
    this.agents = createTransferAgents(options);
  }

  async run(url: string, into: PartialCopy, over: Partial<TransferRequest> = {}): Promise<TransferResult> {
    return await transfer({ ...testRequest(url, into), ...over }, { agents: this.agents });
  }

  /** The error of a transfer that must fail; checks that it reveals no secrets. */
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
