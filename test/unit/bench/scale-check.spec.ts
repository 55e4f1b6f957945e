import should from 'should';
import {
  type Answer,
  check,
  type Findings,
  type Output,
  type StoredObject
} from '../../../bench/scale/check';
import { bytesOf, hashOf, type Plan, planOf } from '../../../bench/scale/plan';
import { isProved } from '../../../bench/runs/proofs';

interface Found extends Findings {
  answers: Map<string, Answer[]>;
  delivered: Map<string, number>;
  outputs: Map<string, Output[]>;
  failed: string[];
  objects: StoredObject[];
}

/** What a faultless cluster shows of a plan. */
function faultless({ requests, recordings }: Plan): Found {
  const answers = new Map<string, Answer[]>();
  for (const { kind, recording } of requests) {
    const answer = { kind, status: kind === 'forged' ? 401 : 200 };
    answers.set(recording.id, [...(answers.get(recording.id) ?? []), answer]);
  }
  const objects = recordings.flatMap((recording): StoredObject[] => {
    const key = `2026/${recording.id}.wav`;
    const file = { key, size: bytesOf(recording).length, sha256: hashOf(recording) };
    const sidecar = { recording_id: recording.id, ...file };
    return [file, { key: `${key}.json`, size: 1, sha256: 'of the sidecar', sidecar }];
  });
  return {
    answers,
    delivered: new Map(recordings.map(({ id }) => [id, 1])),
    outputs: new Map(recordings.map((recording) => [recording.id, [outputOf(hashOf(recording))]])),
    failed: [],
    objects
  };
}

function outputOf(sha256: string): Output {
  return { instance: 'archiver 1', sha256, already_stored: false };
}

describe('the check of a run of many instances', () => {
  const plan = planOf({ name: 'test', recordings: 12, seed: 3 });
  const [first, second] = plan.recordings as [Plan['recordings'][0], Plan['recordings'][0]];
  const duplicated = plan.requests.find(({ kind }) => kind === 'duplicate')!.recording.id;
  const [forged = ''] = plan.forged;

  /** What it finds when one thing is changed. */
  function found(change: (found: Found) => void, isCalm = true): string[] {
    const findings = faultless(plan);
    change(findings);
    const { proofs, problems } = check(plan, findings, { isCalm });
    should(isProved(proofs)).equal(problems.length === 0);
    return problems;
  }

  it('finds nothing where all is well', () => {
    should(found(() => undefined)).eql([]);
    should(found(() => undefined, false)).eql([]);
  });

  const object = ({ objects }: Found, key: string): StoredObject => objects.find((each) => each.key === key)!;
  const file = `2026/${first.id}.wav`;
  const remove = ({ objects }: Found, key: string): unknown =>
    objects.splice(
      objects.findIndex((each) => each.key === key),
      1
    );
  const CASES: Record<string, readonly [(all: Found) => unknown, RegExp]> = {
    'a lost object': [(all) => remove(all, file), /right bytes: test-r-0 is not there/],
    'a wrong byte': [
      (all) => (object(all, file).sha256 = 'f'.repeat(64)),
      /right bytes: 2026\/test-r-0.wav has other bytes/
    ],
    'two files in each other’s place': [
      (all) => (object(all, file).sha256 = hashOf(second)),
      /test-r-0.wav has other bytes/
    ],
    'a lost sidecar': [(all) => remove(all, `${file}.json`), /sidecars that say so: test-r-0 has none/],
    'a sidecar with another hash': [
      (all) => (object(all, `${file}.json`).sidecar!['sha256'] = 'f'.repeat(64)),
      /test-r-0.wav.json says something else/
    ],
    'a sidecar of another recording': [
      (all) => (object(all, `${file}.json`).sidecar!['recording_id'] = second.id),
      /test-r-0.wav.json says something else/
    ],
    'a sidecar that cannot be read': [
      (all) => (object(all, `${file}.json`).sidecar = {}),
      /test-r-0.wav.json says something else/
    ],
    'a second copy under another name': [
      (all) => all.objects.push({ ...object(all, file), key: `2026/${first.id}_2.wav` }),
      /other objects, such as a second copy: 2026\/test-r-0_2.wav/
    ],
    'a second copy in another folder': [
      (all) => all.objects.push({ ...object(all, file), key: `2025/${first.id}.wav` }),
      /other objects, such as a second copy: 2025\/test-r-0.wav/
    ],
    'a stored forgery': [
      (all) => all.objects.push({ ...object(all, file), key: `2026/${forged}.wav` }),
      /other objects, such as a second copy: 2026\/test-forged/
    ],
    'an output that did not come': [
      (all) => all.outputs.delete(first.id),
      /recordings with an output: test-r-0/
    ],
    'an output with another hash': [
      (all) => all.outputs.set(first.id, [outputOf(hashOf(second))]),
      /wrong outputs: test-r-0 with another hash/
    ],
    'an output of what nobody announced': [
      (all) => all.outputs.set(forged, [outputOf(hashOf(first))]),
      /wrong outputs: test-forged-.* was never announced/
    ],
    'a delivery that did not come to a flow': [
      (all) => all.delivered.delete(first.id),
      /came to a flow: test-r-0/
    ],
    'a forgery that came to a flow': [
      (all) => all.delivered.set(forged, 1),
      /came unannounced: test-forged-/
    ],
    'a forgery that was accepted': [
      (all) => all.answers.set(forged, [{ kind: 'forged', status: 200 }]),
      /forged deliveries refused: test-forged-/
    ],
    'a delivery that was never accepted': [
      (all) => all.answers.set(first.id, [{ kind: 'genuine', status: 503 }]),
      /announced and accepted: test-r-0/
    ],
    'a duplicate that was refused': [
      (all) =>
        all.answers.set(duplicated, [
          { kind: 'genuine', status: 200 },
          { kind: 'duplicate', status: 503 }
        ]),
      /duplicates answered 200: test-r-/
    ],
    'an error of a flow': [
      (all) => all.failed.push('archiver 1: it broke'),
      /recordings that failed: archiver 1: it broke/
    ]
  };
  for (const [what, [change, problem]] of Object.entries(CASES)) {
    it(`finds ${what}`, () => {
      for (const isCalm of [true, false]) should(found(change, isCalm).join('\n')).match(problem);
    });
  }

  it('finds a doubled output, except where instances were killed', () => {
    const doubled = ({ outputs }: Found): void =>
      void outputs.set(first.id, [
        outputOf(hashOf(first)),
        { ...outputOf(hashOf(first)), instance: 'archiver 2' }
      ]);
    should(found(doubled)).eql(['recordings with two outputs: test-r-0 by archiver 1 and archiver 2']);
    should(found(doubled, false)).eql([]);
  });

  it('finds a doubled delivery, except where instances were killed', () => {
    const twice = ({ delivered }: Found): unknown => delivered.set(first.id, 2);
    should(found(twice)).eql(['deliveries that came twice: test-r-0 2 times']);
    should(found(twice, false)).eql([]);
  });

  it('finds a recording that was there before it was fetched, except where instances were killed', () => {
    const stored = ({ outputs }: Found): void =>
      void outputs.set(first.id, [{ ...outputOf(hashOf(first)), already_stored: true }]);
    should(found(stored)).eql(['wrong outputs: test-r-0 was stored already']);
    should(found(stored, false)).eql([]);
  });

  it('wants what a list found as well', () => {
    const listed = new Map([['listed', 'a hash']]);
    const { problems } = check(plan, faultless(plan), { isCalm: false, listed });
    should(problems).eql([
      'objects with the right bytes: listed is not there',
      'sidecars that say so: listed has none',
      'recordings with an output: listed'
    ]);
  });
});

describe('the plan of a run of many instances', () => {
  const options = { name: 'test', recordings: 400, seed: 5 };
  const { requests, recordings, forged } = planOf(options);

  it('is the same for the same seed, and another one for another', () => {
    should(planOf(options)).eql({ requests, recordings, forged });
    should(planOf({ ...options, seed: 6 }).requests).not.eql(requests);
  });

  it('has a tenth of duplicates for the other receiver, and a twentieth of forgeries and faulty sources', () => {
    const of = (wanted: string) => requests.filter(({ kind }) => kind === wanted);
    should(of('genuine').length).equal(400);
    should(of('duplicate').length).equal(40);
    should(of('forged').length).equal(20);
    should(forged.size).equal(20);
    should(recordings.filter(({ fault }) => fault !== null).length).equal(20);
    for (const duplicate of of('duplicate')) {
      const at = requests.findIndex(
        ({ kind, recording }) => kind === 'genuine' && recording === duplicate.recording
      );
      should(at).be.below(requests.indexOf(duplicate));
      should([requests[at]!.route, duplicate.route].sort()).eql(['first', 'second']);
    }
  });

  it('has no two recordings with the same bytes', () => {
    should(new Set(recordings.map(hashOf)).size).equal(400);
  });
});
