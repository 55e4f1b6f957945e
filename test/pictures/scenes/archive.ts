import type { Locator } from 'playwright-core';
import { exampleNamed } from '../../support/example-flow';
import type { FlowNode } from '../../support/node-red-process';
import { STRANGER } from '../../support/sign';
import { Calls } from '../calls';
import { encode, encodeAnimation, type Frame } from '../png/encode';
import { type Album, NOW, type Scene, Studio } from '../studio';

const EXAMPLE = 'Archive recordings with transcripts';
const PATH = '/telnyx-transcripts';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Milliseconds before now, the caller, and how long the call was. */
const EARLIER: readonly (readonly [number, number, number])[] = [
  [26 * HOUR, 17, 48],
  [22 * HOUR, 63, 127],
  [20 * HOUR, 88, 33],
  [18.5 * HOUR, 9, 205],
  [17 * HOUR, 25, 61],
  [3 * HOUR, 71, 94],
  [2 * HOUR, 30, 154],
  [1.2 * HOUR, 96, 22],
  [35 * MINUTE, 54, 83]
];

const TEXT = `Good morning, Elm Street Pharmacy, how can I help?
Hello, I would like to move my flu shot from Thursday to Friday.
Of course. Friday at ten?
Ten is fine, thank you.`;

/** A call that is recorded, stored and found again; what the sidebar shows of that, and of a day with some trouble. */
export const ARCHIVE: Scene = {
  pictures: ['file-landing.png', 'sidebar-archive.png', 'sidebar-now.png', 'sidebar-deliveries.png'],
  take: async (browser, album) => {
    const calls = await Calls.open();
    try {
      const studio = await Studio.open(browser, { flow: flowOf(calls.account), time: NOW - 27 * HOUR });
      try {
        calls.now = studio.now;
        await new Day(studio, calls, album).take();
      } finally {
        await studio.close();
      }
    } finally {
      await calls.close();
    }
  }
};

/** The example as a user completes it, and a second line beside it whose recordings are not tried again. */
function flowOf(account: Record<string, unknown>): FlowNode[] {
  const example = exampleNamed(EXAMPLE).flow.map((each) => {
    if (each.type === 'tab') return { ...each, label: 'Call recordings' };
    if (each.type === 'telnyx-account') return { ...each, ...account };
    return each.type === 'telnyx-recording-download' ? { ...each, network: 'any' } : each;
  });
  const like = (type: string, properties: object): FlowNode => {
    const found = example.find((each) => each.type === type);
    if (found === undefined) throw new Error(`The example has no ${type}`);
    return { ...found, g: undefined, z: 'night', ...properties };
  };
  return [
    ...example,
    { id: 'night', type: 'tab', label: 'Night line' },
    like('telnyx-webhook-in', {
      id: 'night-in',
      name: 'Night line',
      path: '/night',
      wires: [['night-store']]
    }),
    like('telnyx-recording-download', { id: 'night-store', name: 'Store at night', retries: 0, wires: [[]] })
  ];
}

/** The parts of the scene, each of which needs the ones before. */
class Day {
  readonly #studio: Studio;
  readonly #calls: Calls;
  readonly #album: Album;

  constructor(studio: Studio, calls: Calls, album: Album) {
    this.#studio = studio;
    this.#calls = calls;
    this.#album = album;
  }

  async take(): Promise<void> {
    await this.#morning();
    await this.#landing();
    await this.#trouble();
    await this.#log();
  }

  /** What was there before. */
  async #morning(): Promise<void> {
    for (const [ago, caller, seconds] of EARLIER) {
      await this.#studio.setClock(NOW - ago);
      const { recordingId, body } = this.#calls.recorded({ caller, seconds });
      await this.#deliver(this.#calls.event('call.initiated', {}));
      await this.#deliver(body);
      await this.#studio.isStored(recordingId);
    }
    await this.#studio.setClock(NOW);
  }

  /** The call of the picture: from the delivery to the file that is played and checked. */
  async #landing(): Promise<void> {
    const { sidebar, page } = this.#studio;
    const window = { width: 1280, height: 700 };
    await page.setViewportSize(window);
    const whole = { x: 0, y: 0, ...window };
    const frames: Frame[] = [];
    const show = async (shown: number): Promise<void> => {
      frames.push({ pixels: await this.#studio.look(whole), shown });
    };
    await this.#studio.hidePalette();
    await sidebar.open('now');
    await this.#row('call.recording.saved').first().waitFor();
    await show(1200);
    const { recordingId, body } = this.#calls.recorded({ caller: 42, seconds: 68, served: 'held' });
    await this.#deliver(body);
    const file = sidebar.at('[role=listitem]:has(progress)').filter({ hasText: recordingId });
    for (const percent of [6, 24, 43, 61, 80, 93]) {
      // Half a percent more, because the editor rounds down.
      await this.#calls.serve(recordingId, (percent + 0.5) / 100);
      await file.filter({ hasText: `${percent}%` }).waitFor();
      await show(450);
    }
    await this.#calls.serve(recordingId, 1);
    await this.#studio.isStored(recordingId);
    await file.waitFor({ state: 'detached' });
    await show(1500);
    await this.#deliver(this.#calls.transcribed(recordingId, TEXT));
    await sidebar.open('archive');
    const row = sidebar.at('.telnyx-sidebar-row').filter({ hasText: '0142' });
    await row.waitFor();
    await show(1200);
    await row.click();
    await sidebar.at('.telnyx-sidebar-text').waitFor();
    await this.#waveform();
    await this.#listen();
    await sidebar.at('button:has-text("Check")').click();
    await sidebar.at('.telnyx-sidebar-good').waitFor();
    await sidebar
      .at('.telnyx-sidebar-panel')
      .first()
      .evaluate((panel) => panel.scrollTo(0, 0));
    await show(3000);
    this.#album('file-landing.png', encodeAnimation(frames));
    await this.#keepSidebar('sidebar-archive.png', 1080);
  }

  /** A forged delivery, a repeated one, a recording that waits, and one that cannot be fetched. */
  async #trouble(): Promise<void> {
    const { sidebar } = this.#studio;
    await sidebar.open('now');
    await this.#deliver(this.#calls.event('call.initiated', {}), '/night', STRANGER);
    await this.#row('SIGNATURE_MISMATCH').waitFor();
    await this.#deliver(this.#calls.recorded({ caller: 90, seconds: 40, served: 'gone' }).body, '/night');
    await this.#row('Retry').waitFor();
    const busy = this.#calls.recorded({ caller: 12, seconds: 77, served: 'busy' });
    await this.#deliver(busy.body);
    await this.#row('next attempt in').waitFor();
    await this.#deliver(busy.body);
    await this.#row('duplicate').waitFor();
    const { recordingId, body } = this.#calls.recorded({ caller: 36, seconds: 141, served: 'held' });
    await this.#deliver(body);
    for (const percent of [14, 38, 62]) {
      await this.#calls.serve(recordingId, (percent + 0.5) / 100);
      await this.#row(`${percent}%`).waitFor();
    }
    await this.#keepSidebar('sidebar-now.png', 960);
    await this.#calls.serve(recordingId, 1);
  }

  /** The deliveries of that day, two of which are about to be sent again. */
  async #log(): Promise<void> {
    const { sidebar } = this.#studio;
    await sidebar.open('deliveries');
    await sidebar.at('.telnyx-sidebar-field input').nth(1).fill('call.recording.saved');
    const rows = sidebar.at('.telnyx-sidebar-rows > li');
    // Every call but the ones of the night line; the repeated delivery is not another one.
    await rows.nth(EARLIER.length + 2).waitFor();
    await sidebar
      .at('[role=listitem], li')
      .filter({ hasText: 'call.initiated' })
      .first()
      .waitFor({ state: 'detached' });
    for (const place of [1, 2]) await rows.nth(place).locator('input[type=checkbox]').check();
    await sidebar.at('.telnyx-sidebar-bar button:has-text("Replay")').first().click();
    await sidebar.at('[role=alertdialog]').waitFor();
    await this.#keepSidebar('sidebar-deliveries.png', 960);
  }

  /** Keeps a picture of the sidebar as wide as users make it. @param height of the window */
  async #keepSidebar(name: string, height: number): Promise<void> {
    const { page, sidebar } = this.#studio;
    await page.setViewportSize({ width: 1280, height });
    await sidebar.resize(420);
    const picture = await this.#studio.look(page.locator('.telnyx-sidebar'));
    this.#album(name, encode(picture));
  }

  async #deliver(body: string, path = PATH, key?: typeof STRANGER): Promise<void> {
    await this.#calls.deliver(body, { port: this.#studio.nodeRed.port, path }, key);
  }

  #row(text: string): Locator {
    return this.#studio.sidebar.at('[role=listitem]').filter({ hasText: text });
  }

  /** Plays a part of the recording. */
  async #listen(): Promise<void> {
    await this.#studio.page.evaluate(LISTEN);
  }

  async #waveform(): Promise<void> {
    await this.#studio.page.waitForFunction(WAVEFORM);
  }
}

/** Whether the waveform is drawn. */
const WAVEFORM = `(() => {
  const host = [...document.querySelectorAll('.telnyx-sidebar-wave > *')].find((each) => each.shadowRoot);
  return (host?.shadowRoot.querySelector('canvas')?.width ?? 0) > 0;
})()`;

/** Plays the recording, and stops in the middle. */
const LISTEN = `(async () => {
  const audio = document.querySelector('.telnyx-sidebar audio');
  audio.muted = true;
  await audio.play();
  audio.pause();
  const there = new Promise((resolve) => audio.addEventListener('seeked', resolve, { once: true }));
  audio.currentTime = 24;
  await there;
  audio.muted = false;
})()`;
