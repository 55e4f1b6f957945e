import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from 'playwright-core';
import { exampleNamed } from './example-flow';
import type { NodeRedProcess } from './node-red-process';
import { until } from './until';

const PACKAGE = '@red-telephony/node-red-telnyx';

const CHROMIUM_ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync'
];

/** For the page, before anything else of it. */
const WITHOUT_ANIMATIONS = `addEventListener('DOMContentLoaded', () => {
  const style = document.createElement('style');
  style.textContent = '*, *::before, *::after { transition: none !important; animation: none !important; }';
  document.head.append(style);
  $.fx.off = true;
})`;

/** A wire in the editor's model, which may differ from the deployed flow. */
export interface Wire {
  port: number;
  to: string;
}

/** How the editor is opened. */
export interface EditorOptions {
  /** Default false: wait for the first node. */
  empty?: boolean;
  /** The origin that the browser shows in place of `http://127.0.0.1:<port>`. Default: no other one. */
  origin?: string;
  /** Default: a window of 1280 x 900. */
  context?: BrowserContextOptions;
  /** Of the user who is logged in, as `logIn` gets them. Default: nobody is. */
  tokens?: object;
  /** What the browser has stored in earlier visits. */
  stored?: Record<string, string>;
  /** Dialogs appear at once instead of sliding in: what still moves or fades in cannot be measured. Default: they slide. */
  still?: boolean;
  /** How long each step may take, in milliseconds. Default: a minute. */
  patience?: number;
}

/** The Node-RED editor in a browser, used like a person does, with mouse and keyboard. */
export class EditorPage {
  /** Errors in the log of the page, and uncaught exceptions. */
  readonly errors: string[] = [];

  private constructor(
    readonly page: Page,
    private readonly browser: Browser,
    private readonly nodeRed: NodeRedProcess
  ) {
    page.on('pageerror', (error) => {
      if (!isOfTips(error)) this.errors.push(error.message);
    });
    page.on('console', (message) => {
      if (message.type() === 'error') this.errors.push(message.text());
    });
  }

  /**
   * Opens the editor and waits until the flow is shown.
   *
   * @param executablePath the browser, as found by `requireProgram`
   */
  static async open(
    nodeRed: NodeRedProcess,
    executablePath: string,
    options: EditorOptions = {}
  ): Promise<EditorPage> {
    const { empty = false, origin = nodeRed.url, context, patience = 60_000 } = options;
    const { hostname } = new URL(origin);
    const elsewhere = `--host-resolver-rules=MAP ${hostname} 127.0.0.1:${nodeRed.port}`;
    const args = origin === nodeRed.url ? CHROMIUM_ARGUMENTS : [...CHROMIUM_ARGUMENTS, elsewhere];
    const browser = await chromium.launch({ executablePath, args });
    try {
      const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...context });
      page.setDefaultTimeout(patience);
      const editor = new EditorPage(page, browser, nodeRed);
      // Tests contact no other host, but the editor requests the catalogue of the palette.
      await page.route(
        (url) => url.origin !== origin,
        (route) => route.fulfill({ json: { modules: [] }, headers: { 'Access-Control-Allow-Origin': '*' } })
      );
      const { pathname } = new URL(nodeRed.editorUrl);
      const stored = { ...options.stored };
      // As Node-RED calls it for its admin root.
      if (options.tokens !== undefined)
        stored[`auth-tokens${pathname.replaceAll('/', '-').replace(/-$/, '')}`] = JSON.stringify(
          options.tokens
        );
      await page.addInitScript(`Object.assign(localStorage, ${JSON.stringify(stored)})`);
      if (options.still === true) await page.addInitScript(WITHOUT_ANIMATIONS);
      await page.goto(new URL(pathname, origin).href);
      await editor.#shown(empty ? '#red-ui-workspace-tabs .red-ui-tab' : '.red-ui-flow-node-group');
      return editor;
    } catch (error) {
      await browser.close();
      throw error;
    }
  }

  /** Loads the editor again. */
  async reload(): Promise<void> {
    await this.page.reload();
    await this.#shown('.red-ui-flow-node-group');
  }

  /** A node in the workspace. */
  node(id: string): Locator {
    return this.page.locator(`[id="${id}"]`);
  }

  /** Opens the edit dialog of a node with a double click. */
  async edit(id: string): Promise<void> {
    await this.node(id).locator('.red-ui-flow-node').first().dblclick();
    await this.page.locator('#node-dialog-ok').waitFor();
    // Shortly afterwards the focus moves into the dialog, away from a field that is already filled in.
    await this.page.waitForFunction("document.activeElement.closest('.red-ui-tray') !== null");
  }

  /** Opens the section for rare settings of the dialog on top, unless it is open. */
  async openAdvanced(): Promise<void> {
    const section = this.page.locator('.red-ui-tray').last().locator('details[id$="-advanced"]');
    if (!(await section.evaluate((each) => (each as unknown as { open: boolean }).open)))
      await section.locator('summary').first().click();
  }

  /** Closes the edit dialog with its Done button. */
  async done(): Promise<void> {
    await this.page.locator('#node-dialog-ok').click();
    await this.page.locator('.red-ui-tray').waitFor({ state: 'detached' });
  }

  /** Imports one of the package's examples from the menu, and shows its tab. */
  async importExample(name: string): Promise<void> {
    await this.page.locator('#red-ui-header-button-sidemenu').click();
    await this.page.locator('#menu-item-import').click();
    const dialog = this.page.locator('#red-ui-clipboard-dialog');
    await dialog.getByText('Examples', { exact: true }).first().click();
    await dialog.getByText(PACKAGE, { exact: true }).click();
    await dialog.getByText(exampleNamed(name).folder, { exact: true }).click();
    await dialog.getByText(name, { exact: true }).click();
    await this.page.locator('#red-ui-clipboard-dialog-ok').click();
    await this.page.locator('#red-ui-workspace-tabs').getByText(name).click();
  }

  /** Waits for a status below the node with a name. @returns its text */
  async status(name: string, wanted: RegExp): Promise<string> {
    const label = this.node(await this.idOf(name)).locator('.red-ui-flow-node-status-label');
    return until(`the status ${String(wanted)} under ${name}`, async () => {
      const text = (await label.textContent()) ?? '';
      return wanted.test(text) ? text : undefined;
    });
  }

  /** The id of the node with a name, on any tab. */
  async idOf(name: string): Promise<string> {
    return this.page.evaluate<string>(
      `RED.nodes.filterNodes({}).find(({ name }) => name === ${JSON.stringify(name)}).id`
    );
  }

  /** Deploys with the button and waits until the new flow runs. */
  async deploy(): Promise<void> {
    const from = this.nodeRed.log.length;
    const saved = this.page.waitForResponse(
      (response) => response.url().endsWith('/flows') && response.request().method() === 'POST'
    );
    await this.page.locator('#red-ui-header-button-deploy:not(.disabled)').click();
    // Node-RED asks first when a node is incomplete.
    const confirm = this.page.locator('.red-ui-notification').getByRole('button', { name: 'Confirm deploy' });
    await Promise.race([saved, confirm.waitFor({ timeout: 0 }).catch(() => undefined)]);
    if (await confirm.isVisible()) await confirm.click();
    await saved;
    await this.nodeRed.waitForLog(/Started (flows|modified nodes|modified flows)/, { from });
  }

  /** The wires that leave a node, by output and target. */
  async wires(id: string): Promise<Wire[]> {
    const source = JSON.stringify(id);
    return this.page.evaluate<Wire[]>(
      `RED.nodes.filterLinks({ source: RED.nodes.node(${source}) })
        .map((link) => ({ port: Number(link.sourcePort), to: link.target.id }))
        .sort((a, b) => a.port - b.port || a.to.localeCompare(b.to))`
    );
  }

  /** A property of a node in the editor's model. */
  async property(id: string, name: string): Promise<unknown> {
    return this.page.evaluate<unknown>(`RED.nodes.node(${JSON.stringify(id)})[${JSON.stringify(name)}]`);
  }

  async close(): Promise<void> {
    await this.browser.close();
  }

  /** @param something that is there once the flow is shown */
  async #shown(something: string): Promise<void> {
    await this.page.locator(something).first().waitFor();
    await this.page.locator('#red-ui-loading-progress').waitFor({ state: 'hidden' });
  }
}

/**
 * Node-RED 5 shows its first tip a second after it has read the user's settings, even if the sidebar for it has not been made by
 * then, as on a busy machine.
 */
function isOfTips({ message, stack = '' }: Error): boolean {
  const places = stack.split('\n').filter((line) => /^ +at /.test(line));
  const isNodeReds = places.length > 0 && places.every((line) => /\/red\/red(\.min)?\.js/.test(line));
  return isNodeReds && message === "Cannot read properties of undefined (reading 'html')";
}
