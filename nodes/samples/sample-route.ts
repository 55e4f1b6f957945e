import { CodedError } from '../../src/errors/coded-error';
import { PROVIDERS, type Provider } from '../../src/events/provider';
import { sampleChoices } from '../../src/samples/sample-choices';
import { sampleBody } from '../../src/samples/sample-body';
import { sampleFacts } from '../../src/samples/sample-facts';
import type { FlowAnswer } from '../../src/webhook/endpoint/flow-reply';
import type { SentSample } from '../../src/webhook/endpoint/sample-sender';
import { serveRead } from '../admin/admin-route';
import { deployedNode, serveDialogAction } from '../admin/dialog-route';
import type { DialogValues } from '../admin/dialog-values';
import { listedEvents } from '../lib/listed-events';
import type { NodeRedApi } from '../lib/node-red';
import { sampleProof } from './sample-proof';
import { sampleExchange } from './sample-exchange';
import { type SampleAnswer, type SampleReply, samplePath } from './sample-request';
import { type RunningReceiver, runningReceiver } from '../webhook/webhook-receivers';

const LONGEST_SHOWN = 20_000;

/** The route behind "Send a sample": sends an event of the catalogue through a deployed webhook node of a provider. */
export function serveSamples(RED: NodeRedApi, type: `${Provider}-webhook-in`): void {
  const provider = PROVIDERS.find((name) => type === `${name}-webhook-in`) ?? PROVIDERS[0];
  const run = async (values: DialogValues): Promise<SampleReply> => {
    const { node, receiver } = receiverFor(RED, type, values.text('id'));
    const event = values.text('event');
    const id = sampleProof.newId();
    const content = sampleBody(provider, event, sampleFacts(id, new Date(), addressOf(receiver)));
    if (content === null)
      throw new CodedError('BAD_SETTING', 'There is no sample of this event. Choose one from the list.');
    const exchange = () => sampleExchange(RED, receiver.path, content);
    node.log(`A sample of ${event} goes to the flow.`);
    const sent = await receiver.samples.send({ id, content, exchange });
    return {
      event_type: event,
      sent_at: sent.message.event.received_at,
      isWired: (node.wires?.[0] ?? []).length > 0,
      answer: answerOf(sent)
    };
  };
  const failed = 'The sample was not sent. The log of Node-RED says why.';
  serveDialogAction(RED, { path: samplePath(type), run, failed });
  serveRead(RED, {
    path: samplePath(type),
    permission: 'telnyx.read',
    failed: 'The samples could not be listed.',
    run: async (asked) => sampleChoices(provider, await listedEvents(asked.text('lng')))
  });
}

/** @throws CodedError `BAD_SETTING` when no such node runs */
function receiverFor(
  RED: NodeRedApi,
  type: string,
  id: string
): { node: { log(text: string): void; wires?: readonly (readonly string[])[] }; receiver: RunningReceiver } {
  const found = runningReceiver(RED, type, id);
  if (found !== null) return found;
  throw new CodedError(
    'BAD_SETTING',
    deployedNode(RED, type, id) === null
      ? 'Deploy first: this node is not deployed, or it is disabled.'
      : 'This node cannot work with its settings. Its status says why.'
  );
}

function addressOf({ path, publicUrl }: RunningReceiver): string {
  return `${publicUrl === '' ? 'https://hooks.example.com' : publicUrl.replace(/\/$/, '')}${path}`;
}

function answerOf({ answer, waitMs }: SentSample): SampleAnswer | null {
  if (answer === null) return null;
  if (answer === 'none-in-time') return { kind: 'none', seconds: waitMs / 1000 };
  return { kind: 'answered', ...shown(answer) };
}

function shown({ status, contentType, body }: FlowAnswer): Omit<SampleAnswer & { kind: 'answered' }, 'kind'> {
  const text = body.toString('utf8');
  return {
    status,
    contentType: contentType ?? '',
    body: text.slice(0, LONGEST_SHOWN),
    isCut: text.length > LONGEST_SHOWN
  };
}
