import type { Proof } from '../runs/proofs';
import { hashOf, type Plan, type PlannedRequest } from './plan';

/** An object of the bucket, as read back. */
export interface StoredObject {
  key: string;
  size: number;
  /** Hex. */
  sha256: string;
  /** Of a sidecar: what it says. */
  sidecar?: Record<string, unknown>;
}

/** What a download node said of a file. */
export interface Output {
  instance: string;
  sha256: unknown;
  already_stored: unknown;
}

export interface Answer {
  kind: PlannedRequest['kind'];
  /** 0: none. */
  status: number;
}

/** What a run has shown. Maps are by the id of the recording, which is that of the event. */
export interface Findings {
  answers: ReadonlyMap<string, readonly Answer[]>;
  /** How often a flow got the delivery. */
  delivered: ReadonlyMap<string, number>;
  outputs: ReadonlyMap<string, readonly Output[]>;
  /** Errors that flows caught, as text. */
  failed: readonly string[];
  objects: readonly StoredObject[];
}

export interface CheckOptions {
  /** Nothing was killed or cut off: all happens once. Otherwise outputs are at least once. */
  isCalm: boolean;
  /** Further recordings that nobody announced by a delivery, with the hashes of their files. */
  listed?: ReadonlyMap<string, string>;
}

export interface Verdict {
  proofs: Proof[];
  /** What is wrong, one line for each. */
  problems: string[];
}

/** Compares what was planned with what was found. Whatever is lost, doubled, strange or not what it says is a problem. */
export function check(plan: Plan, found: Findings, { isCalm, listed = new Map() }: CheckOptions): Verdict {
  const problems: string[] = [];
  const expected = new Map<string, string>(listed);
  for (const recording of plan.recordings) expected.set(recording.id, hashOf(recording));
  const proof = (what: string, wanted: number, good: number, wrong: readonly string[]): Proof => {
    problems.push(...wrong.map((each) => `${what}: ${each}`));
    return [what, String(good), String(wanted), good === wanted && wrong.length === 0];
  };
  const proofs: Proof[] = [
    ...answered(plan, found, { isCalm, proof }),
    ...stored(expected, found, proof),
    ...told(plan, expected, found, { isCalm, proof })
  ];
  return { proofs, problems };
}

type Prove = (what: string, wanted: number, good: number, wrong: readonly string[]) => Proof;

interface Told {
  isCalm: boolean;
  proof: Prove;
}

function answered(plan: Plan, { answers }: Findings, { isCalm, proof }: Told): Proof[] {
  const of = (id: string, kind: Answer['kind']): readonly Answer[] =>
    (answers.get(id) ?? []).filter((answer) => answer.kind === kind);
  const ids = (kind: Answer['kind']): string[] =>
    plan.requests.filter((request) => request.kind === kind).map(({ recording }) => recording.id);
  const unanswered = (kind: Answer['kind']): string[] =>
    ids(kind).filter((id) => !of(id, kind).some(({ status }) => status === 200));
  // Where receivers are killed, a forged one may find none.
  const isRefused = ({ status }: Answer): boolean => (isCalm ? status === 401 : status < 200 || status > 299);
  const forged = ids('forged').filter(
    (id) => of(id, 'forged').length === 0 || !of(id, 'forged').every(isRefused)
  );
  const count = (kind: Answer['kind'], wrong: readonly string[]): [number, number] => [
    ids(kind).length,
    ids(kind).length - wrong.length
  ];
  const [lost, refused] = [unanswered('genuine'), unanswered('duplicate')];
  return [
    proof('recordings announced and accepted', ...count('genuine', lost), lost),
    proof('duplicates answered 200', ...count('duplicate', refused), refused),
    proof('forged deliveries refused', ...count('forged', forged), forged)
  ];
}

function stored(expected: ReadonlyMap<string, string>, { objects }: Findings, proof: Prove): Proof[] {
  const files = new Map<string, StoredObject>();
  const sidecars = new Map<string, StoredObject>();
  const strange: string[] = [];
  for (const object of objects) {
    const [, id = '', sidecar] = /^[^/]*\/([^/]*?)\.wav(\.json)?$/.exec(object.key) ?? [];
    const kind = sidecar === undefined ? files : sidecars;
    if (!expected.has(id) || kind.has(id)) strange.push(object.key);
    else kind.set(id, object);
  }
  const all = [...expected];
  const wrongFiles = all.flatMap(([id, hash]) => {
    const file = files.get(id);
    if (file === undefined) return [`${id} is not there`];
    return file.sha256 === hash ? [] : [`${file.key} has other bytes`];
  });
  const wrongSidecars = all.flatMap(([id, hash]) => {
    const object = sidecars.get(id);
    if (object === undefined) return [`${id} has none`];
    const { recording_id, sha256, size, key } = object.sidecar ?? {};
    const says = [recording_id, sha256, size, key];
    const is = [id, hash, files.get(id)?.size, files.get(id)?.key];
    return says.every((value, index) => value === is[index]) ? [] : [`${object.key} says something else`];
  });
  return [
    proof('objects with the right bytes', all.length, all.length - wrongFiles.length, wrongFiles),
    proof('sidecars that say so', all.length, all.length - wrongSidecars.length, wrongSidecars),
    proof('other objects, such as a second copy', 0, strange.length, strange)
  ];
}

function told(
  plan: Plan,
  expected: ReadonlyMap<string, string>,
  { delivered, outputs, failed }: Findings,
  { isCalm, proof }: Told
): Proof[] {
  const announced = new Set(plan.recordings.map(({ id }) => id));
  const undelivered = [...announced].filter((id) => !delivered.has(id));
  const again = [...delivered].filter(([, times]) => times > 1).map(([id, times]) => `${id} ${times} times`);
  const injected = [...delivered.keys()].filter((id) => !announced.has(id));
  const all = [...expected];
  const silent = all.filter(([id]) => !outputs.has(id)).map(([id]) => id);
  const doubled = [...outputs]
    .filter(([, each]) => each.length > 1)
    .map(([id, each]) => `${id} by ${each.map(({ instance }) => instance).join(' and ')}`);
  const wrong = [...outputs].flatMap(([id, each]) => {
    const hash = expected.get(id);
    if (hash === undefined) return [`${id} was never announced`];
    if (each.some(({ sha256 }) => sha256 !== hash)) return [`${id} with another hash`];
    const isFresh = each.some(({ already_stored }) => already_stored === false);
    return isCalm && !isFresh ? [`${id} was stored already`] : [];
  });
  const twice = (what: string, ids: readonly string[]): Proof =>
    isCalm ? proof(what, 0, ids.length, ids) : [what, String(ids.length), '', true];
  return [
    proof('deliveries that came to a flow', announced.size, announced.size - undelivered.length, undelivered),
    proof('deliveries that came unannounced', 0, injected.length, injected),
    twice('deliveries that came twice', again),
    proof('recordings with an output', all.length, all.length - silent.length, silent),
    twice('recordings with two outputs', doubled),
    proof('wrong outputs', 0, wrong.length, wrong),
    proof('recordings that failed', 0, failed.length, failed)
  ];
}
