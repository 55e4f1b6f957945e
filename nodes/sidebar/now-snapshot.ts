import type { Job } from '../../src/archive/queue/job';
import type { RecordingReference } from '../../src/recording/recording-reference';
import { type Activity, type DownloadsNow, activityOf, saveCounts } from './activity';
import type { NodeRedApi, RedNode } from '../lib/node-red';
import { allReceivers } from '../webhook/webhook-receivers';
import { givenUpPage, short } from './given-up';
import {
  type FileRow,
  type ListRow,
  MOST_ROWS,
  type NowFrame,
  type NowSnapshot,
  type PausingRow,
  type WebhookRow
} from './now-request';

/** Everything that "Now" shows at this moment. */
export async function nowSnapshot(RED: NodeRedApi, now: () => number = Date.now): Promise<NowSnapshot> {
  const activity = activityOf(RED);
  saveCounts(RED, activity);
  const givenUp = await givenUpPage(RED, { skip: 0, most: MOST_ROWS });
  const shownAs: Record<string, string> = {};
  const noted = (node: RedNode): string => {
    if (node._alias !== undefined) shownAs[node.id] = node._alias;
    return node.id;
  };
  const downloads = downloadsNow(activity);
  return {
    at: now(),
    seq: activity.deliveries.seq,
    deliveries: activity.deliveries.since(0),
    files: downloads.flatMap((one) => fileRows(one, noted(one.node))).slice(0, 2 * MOST_ROWS),
    pausing: downloads
      .flatMap((one) => one.pausing.map((pausing) => pausingRow(noted(one.node), pausing)))
      .sort((a, b) => a.dueInMs - b.dueInMs)
      .slice(0, MOST_ROWS),
    waiting: downloads.reduce((sum, { waiting }) => sum + waiting, 0),
    givenUp,
    webhooks: webhookRows(RED, activity, noted),
    lists: listRows(activity, noted),
    quarters: activity.counts.quarters(),
    shownAs
  };
}

/** What changed after a delivery, for all editors. @param since `seq` of the frame before */
export function nowFrame(RED: NodeRedApi, since: number): NowFrame {
  const activity = activityOf(RED);
  const downloads = downloadsNow(activity, 1);
  const files = [...activity.running.values()].flatMap((one) => one.now(MOST_ROWS).files);
  const stamp = [
    ...Object.values(activity.downloads),
    // A deploy may have removed a node, in this editor or in another.
    ...activity.running.keys(),
    ...files.map(({ key }) => key),
    ...downloads.flatMap(({ pausing, waiting }) => [
      pausing[0]?.job.id,
      pausing[0]?.job.retry?.attempt,
      waiting
    ]),
    ...[...activity.lists.values()].flatMap(({ begun, ended }) => [begun, ended]),
    ...allReceivers(RED).flatMap(([{ id }, { report }]) => {
      const { problem = null, trouble = null, health = null } = report?.() ?? {};
      return [id, problem, trouble?.code, health?.problem, health?.failed];
    })
  ].join();
  return {
    seq: activity.deliveries.seq,
    deliveries: activity.deliveries
      .since(since)
      .slice(-MOST_ROWS)
      .map((row) => ({ ...row, reason: null })),
    files: files
      .slice(0, 2 * MOST_ROWS)
      .map(({ key, received, total, active }) => [key, received, total ?? -1, active ? 1 : 0]),
    stamp
  };
}

function downloadsNow({ running }: Activity, most = MOST_ROWS): DownloadsNow[] {
  return [...running.values()].map((download) => download.now(most));
}

function fileRows({ files }: DownloadsNow, node: string): FileRow[] {
  return files.map(({ key, about, active, received, total }) => ({
    key,
    node,
    recordingId: short(about?.recordingId),
    eventType: short(about?.eventType),
    format: short(about?.format),
    isActive: active,
    received,
    total
  }));
}

function pausingRow(node: string, { job, dueInMs }: { job: Job; dueInMs: number }): PausingRow {
  const { deletion, details, sideFiles, items, retry } = job;
  const references: readonly Pick<RecordingReference, 'details'>[] = [
    ...items,
    ...(deletion?.recordings ?? []),
    ...(sideFiles?.recordings ?? [])
  ].map(({ reference }) => reference);
  const all = references.length > 0 ? references : (details?.recordings ?? []);
  const followUp = sideFiles ? 'side-files' : details ? 'details' : deletion ? 'deletion' : null;
  return {
    id: job.id,
    node,
    recordingId: short(all[0]?.details.recording_id),
    eventType: short(all[0]?.details.event_type),
    others: Math.max(0, all.length - 1),
    dueInMs: Math.max(0, Math.round(dueInMs)),
    trouble: retry?.trouble ?? null,
    attempt: retry?.attempt ?? 0,
    of: retry?.of ?? 0,
    followUp
  };
}

function webhookRows(
  RED: NodeRedApi,
  { deliveries }: Activity,
  noted: (node: RedNode) => string
): WebhookRow[] {
  return allReceivers(RED).flatMap(([node, { report }]) =>
    report === undefined ? [] : [{ node: noted(node), lastAt: deliveries.lastAt(node.id), ...report() }]
  );
}

function listRows({ lists }: Activity, noted: (node: RedNode) => string): ListRow[] {
  return [...lists.values()]
    .map(({ node, ...run }) => ({ node: noted(node), ...run }))
    .sort((a, b) => b.begun - a.begun)
    .slice(0, MOST_ROWS);
}
