import { HttpClient } from '../../../src/http/http-client';

/** A process of its own, so that it can be stopped: reads what `argv[2]` leads to, and prints how that ended. */
async function main([, , address = '', deadline = '']: string[]): Promise<void> {
  const { origin, pathname: path } = new URL(address);
  const limit = Number(deadline);
  const client = new HttpClient({ wanted: 'file' });
  let text = '';
  try {
    const { body } = await client.request({
      ...{ origin, path, method: 'GET' },
      ...{ responseTimeoutMs: limit, stallTimeoutMs: limit }
    });
    for await (const piece of body) {
      text += Buffer.from(piece).toString();
      console.log('arrived:', text);
    }
    console.log('outcome: complete');
  } catch (error) {
    console.log('outcome:', (error as { code?: string }).code);
  }
  client.destroy();
}

void main(process.argv);
