import { DailyStandIn } from '../../../src/simulator/daily/daily-stand-in';
import { S3_USER } from '../../support/ceph';
import { dailyAccount, dailyWebhookIn } from '../../support/daily';
import { exampleNamed } from '../../support/example-flow';
import { account, config, node, tab, webhookIn } from '../../support/flows';
import type { FlowNode } from '../../support/node-red-process';
import { S3Server } from '../../support/s3-server';
import { Calls } from '../calls';
import { encode } from '../png/encode';
import { type Album, type Scene, Studio } from '../studio';

const RECONCILE = 'Fetch missed recordings every night';
const MENU = 'TeXML voice menu';
const PUBLIC = 'https://node-red.example.com';

/** What stands in for the services. */
interface Services {
  calls: Calls;
  daily: DailyStandIn;
  store: S3Server;
}

/** The dialogs as they help to set up, and two flows. */
export const DIALOGS: Scene = {
  pictures: [
    ...['webhook-url.png', 'list-at-telnyx.png', 'daily-register.png', 'switch.png', 'filename.png'],
    ...['bucket.png', 'reconcile-flow.png', 'texml-flow.png']
  ],
  take: async (browser, album) => {
    const [calls, daily] = [await Calls.open(), new DailyStandIn()];
    await daily.start();
    const store = await S3Server.start(WITHOUT_CEPH);
    const studio = await Studio.open(browser, { flow: flowOf({ calls, daily, store }) });
    try {
      studio.shownAs.set(store.url, 'http://minio.example.com:9000').set(store.bucket, 'call-archive');
      calls.now = studio.now;
      await webhookDialogs(studio, calls, album);
      await otherDialogs(studio, album);
      await bucketDialog(studio, album);
      await flows(studio, album);
    } finally {
      await studio.close();
      await store.close();
      await daily.stop();
      await calls.close();
    }
  }
};

/** In place of the context of a test, which can be skipped. */
const WITHOUT_CEPH = {
  timeout: () => undefined,
  skip: () => {
    throw new Error('Install radosgw, ceph-mon and ceph-osd to take the picture of a bucket');
  }
} as unknown as Mocha.Context;

function flowOf({ calls, daily, store }: Services): FlowNode[] {
  const { apiUrl, apiKey } = daily;
  const bucket = { bucket: store.bucket, prefix: 'calls', region: '', forcePathStyle: true };
  const examples = [RECONCILE, MENU].flatMap((name) => exampleNamed(name).flow);
  return [
    { ...tab(), label: 'Calls' },
    account({ name: 'My Telnyx account', ...calls.account }),
    dailyAccount({ name: 'My Daily domain', apiUrl, credentials: { apiKey } }),
    config('bucket', 'telnyx-bucket', {
      ...{ name: 'Call archive', endpoint: store.url, sse: '', kmsKeyId: '', credentials: S3_USER },
      ...bucket
    }),
    webhookIn({ name: 'Telnyx calls', x: 140, y: 100, wires: [['switch']] }),
    dailyWebhookIn({ name: 'Daily meetings', x: 140, y: 180, wires: [['download']] }),
    node('switch', 'telnyx-event-switch', {
      ...{ name: 'which event?', property: 'event.event_type', propertyType: 'msg', checkall: 'false' },
      rules: [{ t: 'recording' }, { t: 'family', v: 'fax' }, { t: 'event', v: 'call.hangup' }, { t: 'else' }],
      ...{ outputs: 4, x: 340, y: 100, wires: [['download'], [], [], []] }
    }),
    node('download', 'telnyx-recording-download', {
      ...{ name: 'Store recordings', account: 'account', dailyAccount: 'daily', dailyBucket: '' },
      ...{ destination: 'folder', folder: 'recordings', bucket: 'bucket', format: 'any', sidecar: true },
      filename: '{{year}}/{{month}}/{{day}}/{{started_at}}_{{from}}_{{to}}_{{recording_id}}.{{ext}}',
      ...{ x: 560, y: 100, wires: [[]] }
    }),
    ...examples.map((each) => (each.type === 'telnyx-account' ? { ...each, ...calls.account } : each))
  ];
}

async function webhookDialogs(studio: Studio, calls: Calls, album: Album): Promise<void> {
  const { page } = studio;
  const url = { webhook_event_url: 'https://old.example.com/hook', webhook_api_version: '2' };
  const { webhooks } = calls.telnyx;
  webhooks.add('call_control_applications', { application_name: 'Switchboard', ...url });
  webhooks.add('texml_applications', {
    ...{ friendly_name: 'Voice menu', voice_url: `${PUBLIC}/telnyx`, voice_method: 'post' }
  });
  webhooks.add('messaging_profiles', { name: 'Appointments', webhook_url: '', webhook_api_version: '2' });
  webhooks.add('fax_applications', { application_name: 'Fax', ...url });

  await studio.editWide('webhook', 900);
  await page.locator('.red-ui-tray details:not([id$="-advanced"]) summary').first().click();
  album('webhook-url.png', await studio.dialog());
  await page.locator('#node-input-publicUrl').fill(PUBLIC);
  await page.locator('#telnyx-webhook-in-list').click();
  await page.locator('#telnyx-webhook-in-list:not([disabled])').waitFor();
  const choice = page.locator('.telnyx-webhook-in-choice').filter({ hasText: 'Switchboard' });
  await choice.locator('input').check();
  await page.locator('#telnyx-webhook-in-list').scrollIntoViewIfNeeded();
  album('list-at-telnyx.png', await studio.dialog());
  await studio.cancel();

  await studio.editWide('daily-webhook', 880);
  await page.locator('#node-input-publicUrl').fill(PUBLIC);
  await page.locator('#daily-webhook-in-list').click();
  await page.locator('#daily-webhook-in-create').scrollIntoViewIfNeeded();
  album('daily-register.png', await studio.dialog());
  await studio.cancel();
}

async function otherDialogs(studio: Studio, album: Album): Promise<void> {
  const { page } = studio;
  await studio.editWide('switch', 700);
  const rule = page.locator('#node-input-rules-list > li').nth(2).locator('input.telnyx-event-switch-event');
  await rule.fill('rec');
  await page.locator('.telnyx-combo-list [role=option]').first().waitFor();
  album('switch.png', await studio.dialog());
  await rule.press('Escape');
  await studio.cancel();

  await studio.editWide('download', 900);
  await page.locator('#node-input-filename').scrollIntoViewIfNeeded();
  album('filename.png', await studio.dialog());
  await studio.cancel();
}

async function bucketDialog(studio: Studio, album: Album): Promise<void> {
  const { page } = studio;
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.evaluate("RED.editor.editConfig('', 'telnyx-bucket', 'bucket')");
  await page.locator('#node-config-dialog-ok').waitFor();
  await studio.widen();
  await page.locator('#telnyx-bucket-test').click();
  await page.locator('#telnyx-bucket-findings li').nth(8).waitFor();
  await page.locator('#telnyx-bucket-findings').scrollIntoViewIfNeeded();
  album('bucket.png', await studio.dialog());
  await page.locator('#node-config-dialog-cancel').click();
  await page.locator('.red-ui-tray').waitFor({ state: 'detached' });
}

async function flows(studio: Studio, album: Album): Promise<void> {
  const { page } = studio;
  await page.setViewportSize({ width: 1360, height: 760 });
  await studio.hidePalette();
  await page.evaluate("RED.actions.invoke('core:toggle-sidebar')");
  for (const [example, name] of [
    [RECONCILE, 'reconcile-flow.png'],
    [MENU, 'texml-flow.png']
  ] as const) {
    await page.locator('#red-ui-workspace-tabs').getByText(example.slice(0, 16)).click();
    album(name, encode(await studio.look(await studio.groups())));
  }
}
