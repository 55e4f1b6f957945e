import { CodedError } from '../../errors/coded-error';
import { batchOutput, distinct, outputName } from '../../recording/extract/from-daily-text';
import { type ListedOutput, type RecordingReference, asFormat } from '../../recording/recording-reference';
import { type Fields, asFields } from '../../values/fields';
import { idSegment } from '../http/api-address';
import {
  type DailyLinkResolverOptions,
  WITHOUT_KEY,
  asLink,
  fleetingLink,
  isFinalRefusal,
  unavailable
} from './access-link';
import type { DailyApi } from './daily-client';

/** An output as an access-link lists it. */
export interface LinkedOutput {
  name: string;
  format: string | null;
  /** A link, or what is in its place. */
  link: unknown;
}

const FORMATS: ReadonlySet<string> = new Set(['txt', 'srt', 'vtt', 'json', 'md', 'html', 'csv']);
/** Fields in which a link can be. */
const LINK_FIELDS = ['link', 'download_link'] as const;
/** Names that group outputs and name none. */
const GROUPS: ReadonlySet<string> = new Set(['output', 'outputs', 'links', 'data', 'data_outputs']);
/** What the job was given: its links lead to recordings. */
const GIVEN: ReadonlySet<string> = new Set(['input', 'inParams', 'error']);
const DEEPEST = 6;
const MOST_OUTPUTS = 100;

/**
 * Finds every output in a response: each value that holds a link, as an object or in a list, under the name of the
 * field that it is in. The documentation shows `transcription: [{format, link}]` and `summary: {format, link}`, and
 * not how outputs of other kinds look.
 *
 * @param answer untrusted
 * @param isBare whether a value can be the link itself
 */
export function linkedOutputs(answer: unknown, isBare = false): LinkedOutput[] {
  const found: LinkedOutput[] = [];
  const visit = (value: unknown, name: string, format: string | null, depth: number): void => {
    if (depth > DEEPEST || found.length >= MOST_OUTPUTS) return;
    if (Array.isArray(value)) {
      for (const item of value.slice(0, MOST_OUTPUTS)) visit(item, name, format, depth + 1);
      return;
    }
    const fields = asFields(value);
    if (fields === null) {
      if (isBare && typeof value === 'string') found.push({ name, format, link: value });
      return;
    }
    const own = asFormat(fields['format']) ?? format;
    const held =
      LINK_FIELDS.find((field) => asLink(fields[field]) !== null) ??
      LINK_FIELDS.find((field) => fields[field] !== undefined);
    if (held !== undefined) {
      found.push({ name: ownName(fields, name), format: own, link: fields[held] });
      return;
    }
    for (const [key, inner] of Object.entries(fields)) {
      if (GIVEN.has(key)) continue;
      const isFormat = FORMATS.has(key.toLowerCase());
      const named = isFormat || GROUPS.has(key) ? name : outputName(key);
      visit(inner, named, isFormat ? key.toLowerCase() : own, depth + 1);
    }
  };
  visit(answer, 'output', null, 0);
  return distinct(found);
}

/** Items of a list may name themselves. */
function ownName({ type }: Fields, name: string): string {
  return name === 'output' && typeof type === 'string' ? outputName(type) : name;
}

/**
 * Asks for the links of a finished job (Daily "Get batch processor job access link").
 *
 * @throws CodedError as `JsonApi.request`; a retryable `LINK_REFUSED` while the job is not finished
 */
export async function batchLinks(api: DailyApi, job: string, signal: AbortSignal): Promise<LinkedOutput[]> {
  const path = ['batch-processor', idSegment(job), 'access-link'];
  return linkedOutputs(await api.request({ method: 'GET', path, signal }));
}

/**
 * The files of a job that its event announced: those that the API links to, and those that only the event lists.
 *
 * @throws CodedError as `batchLinks` and when there is no key, unless the event lists files
 */
export async function findBatchOutputs(
  { api, bucket }: DailyLinkResolverOptions,
  job: RecordingReference,
  signal: AbortSignal
): Promise<RecordingReference[]> {
  const { of = '', listed = [] } = job.output ?? {};
  let linked: LinkedOutput[] = [];
  try {
    if (api?.hasKey !== true) throw unavailable('missing', WITHOUT_KEY);
    linked = await batchLinks(api, of, signal);
  } catch (error) {
    if (signal.aborted || !(error instanceof CodedError)) throw error;
    const isInReach = bucket !== null && isFinalRefusal(error);
    // The event comes when the job is finished, but the API may hear of that later.
    if (isFinalRefusal(error) && !isInReach) throw notFinished(error);
    // What is stored already is found without the API, and each file then says why it cannot be fetched.
    if (listed.length === 0 || (error.retryable && !isInReach)) throw error;
  }
  const others = listed.filter((other) => !linked.some((one) => isSame(one, other)));
  const total = linked.length + others.length;
  if (total === 0)
    throw new CodedError(
      'NO_RECORDING',
      'Daily says that the job is finished, but lists no file of it. Look at the job in the Daily dashboard.'
    );
  const found = linked.map(({ name, format, link }) => {
    const key = listed.find((one) => isSame({ name, format }, one))?.key ?? null;
    const url = asLink(link);
    const reference = batchOutput(job, { name, format, key }, total);
    return url === null ? reference : { ...reference, links: [fleetingLink(url)] };
  });
  return [...found, ...others.map((other) => batchOutput(job, other, total))];
}

function notFinished(cause: CodedError): CodedError {
  return new CodedError('LINK_REFUSED', `${cause.message} The next attempt waits for the job.`, {
    cause,
    retryable: true,
    trouble: 'not-there'
  });
}

function isSame(
  one: Pick<ListedOutput, 'name' | 'format'>,
  other: Pick<ListedOutput, 'name' | 'format'>
): boolean {
  return (
    one.name === other.name && (one.format === other.format || one.format === null || other.format === null)
  );
}
