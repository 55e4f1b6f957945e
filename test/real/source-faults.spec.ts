import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import { DAILY, idInLink, TELNYX_WITH_KEY } from '../support/archive-source';
import { catchAll, functionNode, node } from '../support/flows';
import { type LocalServer, localServer, sha256 } from '../support/media';
import type { RecordedMessage } from '../support/node-red-process';
import {
  type Answer,
  cutAfter,
  promisesMore,
  rangeOf,
  redirect,
  type SourceFile,
  whole
} from '../support/source-answers';
import {
  CUT_RECORDINGS,
  CUTS,
  cuts,
  HALF,
  survivedFaults,
  type SurvivedFault,
  twoFiles
} from '../support/source-faults';
import { until } from '../support/until';
import { WebhookInstance } from '../support/webhook-instance';

/** The number of cuts of the recording that is sent again after each cut. */
const MANY_CUTS = 12;

for (const source of [TELNYX_WITH_KEY, DAILY]) {
  describe(`faults at the source of a recording of ${source.provider}`, function () {
    this.timeout(90_000);
    const { ext } = source;
    const { old } = twoFiles(source);
    const answers = new Map<string, Answer[]>();
    let instance: WebhookInstance;
    let server: LocalServer;
    let elsewhere: LocalServer;
    let survived: Record<string, SurvivedFault>;
    let seen: { id: string; range: number }[];
    let authorizedElsewhere: number;

    const downloadNode = (id: string, properties: object) =>
      node(id, 'telnyx-recording-download', {
        ...source.download,
        destination: 'folder',
        folder: id,
        filename: '{{recording_id}}.{{ext}}',
        sidecar: true,
        network: 'any',
        answer: 'queued',
        wires: [['seen']],
        ...properties
      });

    before(async () => {
      seen = [];
      authorizedElsewhere = 0;
      const afterRedirect = [cutAfter(old, HALF), whole(old)];
      elsewhere = await localServer((request, response) => {
        if (request.headers.authorization !== undefined) authorizedElsewhere += 1;
        (afterRedirect.shift() ?? whole(old))(request, response);
      });
      server = await localServer((request, response) => {
        if (source.answerApi(request, response)) return;
        if (request.url === '/moved-here') {
          whole(old)(request, response);
          return;
        }
        const id = idInLink(request);
        seen.push({ id, range: rangeOf(request) });
        const script = answers.get(id) ?? [];
        const answer = script.length > 1 ? script.shift() : script[0];
        if (answer === undefined) response.writeHead(404).end();
        else answer(request, response);
      });
      survived = survivedFaults(source, elsewhere.url);
      for (const [id, fault] of Object.entries(survived)) answers.set(id, fault.answers);
      instance = await WebhookInstance.start({
        flow: [
          ...source.nodes(server.url, ['way']),
          functionNode(
            'way',
            "return msg.payload.recording_id.startsWith('once-') ? [null, msg] : [msg, null];",
            { outputs: 2, wires: [['patient'], ['once']] }
          ),
          // Recordings do not wait for each other, so the pauses between attempts overlap.
          downloadNode('patient', { retries: 8, concurrency: 40 }),
          downloadNode('once', { retries: 0 }),
          ...catchAll()
        ]
      });
      await Promise.all(Object.keys(survived).map((id) => deliver(id)));
    });
    after(async () => {
      await instance.stop();
      await server.close();
      await elsewhere.close();
    });

    async function deliver(id: string, event?: string): Promise<void> {
      const delivery = source.delivery({ id, storage: server.url, ...(event !== undefined && { event }) });
      should((await instance.deliver(delivery, source.path)).status).equal(200);
    }

    const told = (id: string): RecordedMessage | undefined =>
      instance.nodeRed.recorded().find(({ recording }) => recording?.['recording_id'] === id);

    async function stored(id: string, expected: SourceFile): Promise<RecordedMessage> {
      const message = await until(`the message of ${id}`, () => told(id), { deadline: 60_000 });
      const copy = readFileSync(String(message.payload));
      should([copy.length, sha256(copy)]).deepEqual([expected.bytes.length, sha256(expected.bytes)]);
      const sidecar = JSON.parse(readFileSync(`${String(message.payload)}.json`, 'utf8')) as object;
      for (const each of [message.recording, sidecar])
        should(each).have.properties({ size: copy.length, sha256: sha256(copy), recording_id: id });
      return message;
    }

    const caught = async (event: string): Promise<RecordedMessage> =>
      until(
        `the error of ${event}`,
        () => instance.nodeRed.recorded('errors.jsonl').find((message) => message.event?.['id'] === event),
        { deadline: 20_000 }
      );

    const rangesOf = (wanted: string): number[] =>
      seen.filter(({ id }) => id === wanted).map(({ range }) => range);

    const listed = (folder: string): string[] => {
      const directory = path.join(instance.nodeRed.userDir, folder);
      return existsSync(directory) ? readdirSync(directory) : [];
    };

    for (const id of Object.keys(survivedFaults(source, 'http://127.0.0.1'))) {
      it(`is stored completely: ${id}`, async () => {
        const { expected, recording } = survived[id]!;
        const message = await stored(id, expected);
        should(message.recording).have.properties({ ...recording, already_stored: false });
      });
    }

    it('resumes after each cut', () => {
      for (let index = 0; index < CUT_RECORDINGS; index += 1) {
        const ranges = rangesOf(`cut-${index}`);
        should(ranges).have.length(CUTS + 1);
        should(ranges).deepEqual([...ranges].sort((one, other) => one - other));
        should(new Set(ranges).size).be.above(2);
      }
    });

    it('does not reveal the API key after a redirect', () => {
      should(elsewhere.requests).have.length(2);
      should(authorizedElsewhere).equal(0);
    });

    it(`is complete after ${MANY_CUTS} cuts, each given up and sent again`, async () => {
      const id = 'once-cut';
      answers.set(id, [...cuts(old, MANY_CUTS, 12), whole(old)]);
      for (let cut = 0; cut < MANY_CUTS; cut += 1) {
        await deliver(id, `cut ${cut}`);
        const { error } = await caught(`cut ${cut}`);
        should(error?.code).equal('GAVE_UP');
        should(listed('once')).deepEqual(['.telnyx-partial']);
      }
      await deliver(id, 'the last one');
      should((await stored(id, old)).recording).have.properties({ resumed: true, attempts: 1 });
      const ranges = rangesOf(id);
      should(ranges).have.length(MANY_CUTS + 1);
      should(ranges).deepEqual([...ranges].sort((one, other) => one - other));
    });

    it('is given up, without a file, when it never arrives completely', async () => {
      answers.set('once-short', [promisesMore(old, 1)]);
      await deliver('once-short');
      const { error } = await caught('event of once-short');
      should(error?.code).equal('GAVE_UP');
      should(error?.message)
        .match(/broke off before the file was complete/)
        .and.not.match(/X-Amz|secret/);
      should(listed('once').filter((name) => name.startsWith('once-short'))).be.empty();
    });

    it('is given up when its link and a fresh link redirect in a loop', async () => {
      const isForLink = (url: string): boolean => /^\/v\d\/recordings\/once-round(\/access-link)?$/.test(url);
      answers.set('once-round', [redirect(`/once-round.${ext}?X-Amz-Signature=secret`)]);
      const before = server.requests.length;
      await deliver('once-round');
      const { error } = await caught('event of once-round');
      should(error?.code).equal('GAVE_UP');
      should(error?.message)
        .match(/redirects more than 5 times/)
        .and.not.match(/X-Amz|secret/);
      // The link and the fresh link: a request and five redirects each.
      should(rangesOf('once-round')).have.length(12);
      const requests = server.requests.slice(before);
      const first = requests.findIndex((url) => url.startsWith('/once-round.'));
      should(requests.slice(first).some(isForLink)).be.true();
      should(listed('once').filter((name) => name.startsWith('once-round'))).be.empty();
    });

    it('leaves nothing incomplete, and no link in the log', () => {
      const names = Object.keys(survived).flatMap((id) => [`${id}.${ext}`, `${id}.${ext}.json`]);
      should(listed('patient').sort()).deepEqual(['.telnyx-partial', ...names].sort());
      should(listed(path.join('patient', '.telnyx-partial'))).be.empty();
      should(instance.nodeRed.log).not.match(/secret|X-Amz|made-up-(daily|telnyx)-api-key/);
    });
  });
}
