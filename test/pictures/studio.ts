import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { EditorPage } from '../support/editor-page';
import { type FlowNode, NodeRedProcess } from '../support/node-red-process';
import { SidebarPage } from '../support/sidebar';
import { until } from '../support/until';
import { encode } from './png/encode';
import { type Pixels, pixelsOf } from './png/pixels';

/** The moment at which pictures are taken, for users in London in winter. */
export const NOW = Date.parse('2026-03-04T09:15:00Z');

/** Shown in place of the address of the machine, which differs each time. */
const ORIGIN = 'http://localhost:1880';

/** Pixels of a window. */
export interface Size {
  width: number;
  height: number;
}

/** A part of the window, in pixels. */
export interface Rectangle extends Size {
  x: number;
  y: number;
}

/** A real Node-RED with the packed package and its editor, on a Wednesday in March. */
export class Studio {
  readonly sidebar: SidebarPage;
  /** What pictures show in place of the names of this machine. */
  readonly shownAs = new Map<string, string>();
  /** What Node-RED's clock differs by; milliseconds. */
  #shift: number;

  private constructor(
    readonly nodeRed: NodeRedProcess,
    readonly editor: EditorPage,
    shift: number
  ) {
    this.sidebar = new SidebarPage(editor, nodeRed);
    this.#shift = shift;
    // As in Docker.
    this.shownAs.set(nodeRed.userDir, '/data');
    for (const before of [':', ' ']) this.shownAs.set(`${before}${nodeRed.port}`, `${before}1880`);
  }

  /**
   * @param browser path of chromium
   * @param options `flow`: what Node-RED starts with; default: nothing, as after its installation. `time`: of the
   *   start, in milliseconds since 1970
   */
  static async open(
    browser: string,
    { flow, time = NOW }: { flow?: FlowNode[]; time?: number } = {}
  ): Promise<Studio> {
    const shift = time - Date.now();
    const nodeRed = await NodeRedProcess.start({
      ...(flow && { flow }),
      env: { TZ: 'Europe/London', CLOCK_SET: String(shift) },
      nodeArgs: ['--require', require.resolve('../support/settable-clock.cjs')]
    });
    try {
      const editor = await EditorPage.open(nodeRed, browser, {
        origin: ORIGIN,
        empty: flow === undefined,
        context: {
          deviceScaleFactor: 2,
          locale: 'en-GB',
          timezoneId: 'Europe/London',
          colorScheme: 'light',
          viewport: { width: 1280, height: 900 }
        }
      });
      editor.page.setDefaultTimeout(30_000);
      const studio = new Studio(nodeRed, editor, shift);
      await editor.page.clock.setSystemTime(studio.now());
      return studio;
    } catch (error) {
      await nodeRed.stop();
      throw error;
    }
  }

  get page(): Page {
    return this.editor.page;
  }

  /** The time that Node-RED has; milliseconds since 1970. For the clock of a stand-in, whose signatures are to fit. */
  readonly now = (): number => Date.now() + this.#shift;

  /** Sets the clocks of Node-RED and of the browser. @param time milliseconds since 1970 */
  async setClock(time: number): Promise<void> {
    const { nodeRed } = this;
    const from = nodeRed.log.length;
    const shift = time - Date.now();
    writeFileSync(path.join(nodeRed.userDir, 'clock-set'), String(shift));
    process.kill(nodeRed.pid, 'SIGWINCH');
    await nodeRed.waitForLog(/the clock was set by/, { from });
    this.#shift = shift;
    await this.page.clock.setSystemTime(this.now());
  }

  /** Waits until a recording and the JSON file beside it are stored. @param recordingId in their names */
  async isStored(recordingId: string): Promise<void> {
    const folder = path.join(this.nodeRed.userDir, 'telnyx-recordings');
    const isSidecar = (file: string): boolean => file.includes(recordingId) && file.endsWith('.json');
    await until(
      `the file of ${recordingId}`,
      () =>
        (existsSync(folder) && readdirSync(folder, { recursive: true }).map(String).some(isSidecar)) ||
        undefined,
      { deadline: 60_000 }
    ).catch((error: unknown) => {
      throw new Error(`${String(error)} Log:\n${this.nodeRed.log}`);
    });
  }

  /** Opens a dialog with room for long lines. @param height of the window */
  async editWide(id: string, height: number): Promise<void> {
    await this.page.setViewportSize({ width: 1280, height });
    await this.page.evaluate(`RED.editor.edit(RED.nodes.node(${JSON.stringify(id)}))`);
    await this.page.locator('#node-dialog-ok').waitFor();
    await this.widen();
  }

  /** Makes the dialog on top wider, as a user does with the mouse. */
  async widen(): Promise<void> {
    const { page } = this;
    await page.waitForFunction(AT_REST);
    const box = await page.locator('.red-ui-tray').last().locator('.red-ui-tray-resize-handle').boundingBox();
    if (box === null) throw new Error('There is no dialog');
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const { width = 0 } = page.viewportSize() ?? {};
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(width - WIDTH, y, { steps: 5 });
    await page.mouse.up();
  }

  /** A picture of the dialog on top, as PNG. */
  async dialog(): Promise<Buffer> {
    return encode(await this.look(this.page.locator('.red-ui-tray').last()));
  }

  async cancel(): Promise<void> {
    await this.page.locator('#node-dialog-cancel').click();
    await this.page.locator('.red-ui-tray').waitFor({ state: 'detached' });
  }

  /** Where the groups of the flow are that is shown. */
  async groups(): Promise<Rectangle> {
    await this.page.locator('.red-ui-flow-group').first().waitFor();
    const boxes: Rectangle[] = [];
    for (const group of await this.page.locator('.red-ui-flow-group-body').all()) {
      const box = await group.boundingBox();
      if (box !== null) boxes.push(box);
    }
    const [x, y] = [Math.min(...boxes.map((box) => box.x)), Math.min(...boxes.map((box) => box.y))];
    const right = Math.max(...boxes.map((box) => box.x + box.width));
    const bottom = Math.max(...boxes.map((box) => box.y + box.height));
    return { x: x - 10, y: y - 10, width: right - x + 20, height: bottom - y + 20 };
  }

  /** Makes room for the workspace. */
  async hidePalette(): Promise<void> {
    await this.page.evaluate("RED.actions.invoke('core:toggle-palette')");
  }

  /** Takes a picture, without the names of this machine. */
  async look(area: Locator | Rectangle): Promise<Pixels> {
    const { page } = this;
    await page.mouse.move(0, 0);
    for (const names of this.shownAs) await page.evaluate(`(${RENAME})(...${JSON.stringify(names)})`);
    // What was resized is drawn again; no event tells that the editor's own timers have run.
    await page.evaluate('new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn, 100)))');
    const clip = 'width' in area ? area : await area.boundingBox();
    if (clip === null) throw new Error('This is not visible');
    return pixelsOf(await page.screenshot({ clip, animations: 'disabled', style: WITHOUT_NOTES }));
  }

  async close(): Promise<void> {
    await this.editor.close();
    await this.nodeRed.stop();
  }
}

/** Leaves out what the editor says about imports and deploys. */
const WITHOUT_NOTES = '#red-ui-notifications { display: none; }';

/** Writes something else in all texts and fields of the page. */
const RENAME = `(real, shown) => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode())
    if (text.data.includes(real)) text.data = text.data.replaceAll(real, shown);
  for (const field of document.querySelectorAll('input, textarea'))
    if (field.value.includes(real)) field.value = field.value.replaceAll(real, shown);
}`;

/** Whether the dialog on top has slid in. */
const AT_REST = "[...document.querySelectorAll('.red-ui-tray')].pop().style.right === '0px'";

/** Of a dialog, in pixels. */
const WIDTH = 620;

/** Where pictures are put. @param name with extension */
export type Album = (name: string, png: Buffer) => void;

/** Some pictures that are taken together. */
export interface Scene {
  /** File names. */
  pictures: readonly string[];
  /** @param browser path of chromium */
  take: (browser: string, album: Album) => Promise<void>;
}
