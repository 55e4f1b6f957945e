import type { ArchiveSource } from './archive-source';
import { seededNumbers } from './seeded-numbers';
import {
  type Answer,
  chunkedWithoutEnd,
  cutAfter,
  ignoresIfRange,
  promisesMore,
  redirect,
  type SourceFile,
  whole,
  withoutLength,
  wrongPart
} from './source-answers';

const SIZE = 400_000;
export const HALF = SIZE / 2;
/** More than half, and less than all. */
const SHORT = 300_000;
/** The number of recordings cut at random points, and the number of cuts of each. */
export const CUT_RECORDINGS = 5;
export const CUTS = 4;

export interface SurvivedFault {
  /** The behaviour of the storage for each request for the file; the last one repeats. */
  answers: Answer[];
  /** The expected file on disk at the end. */
  expected: SourceFile;
  recording: Record<string, unknown>;
}

/** Two successive files of the same recording at the same address. */
export function twoFiles(source: ArchiveSource): { old: SourceFile; changed: SourceFile } {
  const { contentType } = source;
  return {
    old: { bytes: source.file({ size: SIZE, seed: 1 }), contentType, etag: '"old"' },
    changed: { bytes: source.file({ size: SIZE, seed: 2 }), contentType, etag: '"changed"' }
  };
}

/** Cuts at random points that together do not reach the end of the file. */
export function* cuts(file: SourceFile, count: number, seed: number): Generator<Answer> {
  const random = seededNumbers(seed);
  for (let cut = 0; cut < count; cut += 1) {
    const sent = 1 + Math.floor((random.next().value * file.bytes.length) / (count + 1));
    yield cutAfter(file, sent, random.next().value < 0.5 ? 'end' : 'reset');
  }
}

/** Faults that a recording survives, by the id of the recording. */
export function survivedFaults(source: ArchiveSource, elsewhere: string): Record<string, SurvivedFault> {
  const { old, changed } = twoFiles(source);
  const cutOld = cutAfter(old, HALF);
  const startedOver = (attempts: number) => ({ attempts, resumed: false });
  const wentOn = (attempts: number) => ({ attempts, resumed: true });
  const named = ({ bytes, contentType }: SourceFile, etag: string | null): SourceFile => ({
    bytes,
    contentType,
    etag
  });
  const faults: Record<string, SurvivedFault> = {
    'another-file-after-a-cut': {
      answers: [cutOld, whole(changed)],
      expected: changed,
      recording: startedOver(2)
    },
    'another-file-and-back': {
      answers: [cutOld, cutAfter(changed, HALF), whole(old)],
      expected: old,
      recording: startedOver(3)
    },
    'another-file-where-if-range-is-ignored': {
      answers: [cutOld, ignoresIfRange(changed)],
      expected: changed,
      recording: startedOver(2)
    },
    'another-file-without-etags': {
      answers: [cutAfter(named(old, null), HALF), whole(named(changed, null))],
      expected: changed,
      recording: startedOver(2)
    },
    'another-file-under-a-weak-etag': {
      answers: [cutAfter(named(old, 'W/"1"'), HALF), whole(named(changed, 'W/"1"'))],
      expected: changed,
      recording: startedOver(2)
    },
    'more-promised-than-sent': {
      answers: [promisesMore(old, 5000), whole(old)],
      expected: old,
      recording: startedOver(2)
    },
    'chunks-without-their-end': {
      answers: [chunkedWithoutEnd(old, HALF), whole(old)],
      expected: old,
      recording: wentOn(2)
    },
    'neither-length-nor-end': {
      answers: [withoutLength(old, HALF), whole(old)],
      expected: old,
      recording: wentOn(2)
    },
    'part-from-the-start': {
      answers: [
        cutOld,
        wrongPart(old, (_from, { length }) => ({ range: `0-${length - 1}/${length}`, from: 0 })),
        whole(old)
      ],
      expected: old,
      recording: startedOver(2)
    },
    'part-of-a-longer-file': {
      answers: [
        cutOld,
        wrongPart(old, (from, { length }) => ({ range: `${from}-${length - 1}/${length + 4096}`, from })),
        whole(old)
      ],
      expected: old,
      recording: startedOver(2)
    },
    'part-of-a-shorter-file': {
      answers: [
        cutOld,
        wrongPart(old, (from) => ({ range: `${from}-${SHORT - 1}/${SHORT}`, from, to: SHORT })),
        whole(old)
      ],
      expected: old,
      recording: startedOver(2)
    },
    'part-that-ends-early': {
      answers: [
        cutOld,
        wrongPart(old, (from, { length }) => ({ range: `${from}-${SHORT - 1}/${length}`, from, to: SHORT })),
        whole(old)
      ],
      expected: old,
      recording: wentOn(3)
    },
    'part-that-ends-early-of-who-knows-how-much': {
      answers: [
        cutOld,
        wrongPart(old, (from) => ({ range: `${from}-${SHORT - 1}/*`, from, to: SHORT })),
        whole(old)
      ],
      expected: old,
      recording: wentOn(3)
    },
    'part-of-who-knows-how-much-after-chunks': {
      answers: [
        chunkedWithoutEnd(old, HALF),
        wrongPart(old, (from) => ({ range: `${from}-${SHORT - 1}/*`, from, to: SHORT })),
        whole(old)
      ],
      expected: old,
      recording: startedOver(2)
    },
    'part-from-a-little-further-on': {
      answers: [
        cutOld,
        wrongPart(old, (from, bytes) => ({
          range: `${from}-${bytes.length - 1}/${bytes.length}`,
          from: from + bytes.subarray(from).findIndex((byte) => byte !== bytes[from])
        })),
        whole(old)
      ],
      expected: old,
      recording: startedOver(3)
    },
    'redirect-on-the-same-host': {
      answers: [redirect('/moved-here')],
      expected: old,
      recording: startedOver(1)
    },
    'redirect-to-another-host-and-a-cut': {
      answers: [redirect(`${elsewhere}/moved`, 307)],
      expected: old,
      recording: { ...wentOn(2), source_host: new URL(elsewhere).host }
    }
  };
  for (let index = 0; index < CUT_RECORDINGS; index += 1)
    faults[`cut-${index}`] = {
      answers: [...cuts(old, CUTS, index + 1), whole(old)],
      expected: old,
      recording: wentOn(CUTS + 1)
    };
  return faults;
}
