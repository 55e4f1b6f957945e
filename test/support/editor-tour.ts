import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import { AllDialogs, OUR_NODES } from './all-dialogs';
import { axeFindings } from './axe';
import { EditorPage } from './editor-page';
import type { NodeRedProcess } from './node-red-process';
import { REPOSITORY } from './packed-package';
import type { NodeRedMajor } from './real-parts';
import { SidebarPage } from './sidebar';

export type Theme = 'light' | 'dark';

/** How the editor looks on one round, and who looks at it. */
export interface Look {
  /** As in Node-RED's own list of languages. */
  language: string;
  theme: Theme;
  /** The Node-RED. */
  major: NodeRedMajor;
  /** Whether axe looks at it, too. */
  axe: boolean;
}

/** Node-RED 4 has no dark theme of its own; this is that of the usual collection. */
const DARK_STYLES = ['dark.min.css', 'dark-custom.min.css'].map((name) =>
  path.join(REPOSITORY, 'node_modules/@node-red-contrib-themes/theme-collection/themes/dark', name)
);

/** In the narrowest window that is supported, everything has to fit. Pixels. */
const WINDOW = { width: 900, height: 900 };

/** Dialogs are slow on a machine that is busy with other tests, which is no fault of theirs. Milliseconds. */
const PATIENCE = 120_000;

/** What does not fit into the sidebar, or is no text of the language. */
const SIDEBAR_FAULTS = `(() => {
  const sidebar = document.querySelector('.telnyx-sidebar');
  const right = sidebar.getBoundingClientRect().right;
  const faults = [];
  const found = (what, each) => faults.push(what + ': ' + (each.textContent.trim() || each.outerHTML).slice(0, 80));
  for (const each of sidebar.querySelectorAll('*')) {
    const box = each.getBoundingClientRect();
    if (box.width === 0) continue;
    if (box.right > right + 1) found('over the edge', each);
    // A name of the user is shortened, with dots.
    const isShortened = getComputedStyle(each).textOverflow === 'ellipsis';
    if (each.matches('button, summary, span, strong') && !isShortened && each.scrollWidth > each.clientWidth + 1 && each.clientWidth > 0)
      found('cut off', each);
    if (each.matches('button.red-ui-button, [role=tab]') && box.height > 40) found('two lines', each);
  }
  return faults;
})()`;

/** Keys of texts that are missing in the catalogue. */
const RAW_KEYS = `(within) => [...document.querySelector(within).innerText.matchAll(/(?:telnyx|daily)-[a-z-]+\\.[a-z][a-z.-]+/g)]
  .map(([key]) => 'a key without a text: ' + key)`;

/** Walks through everything of ours in an editor, and tells what is wrong with it. */
export class EditorTour {
  readonly #look: Look;
  readonly #dialogs: AllDialogs;
  readonly #sidebar: SidebarPage;

  private constructor(
    readonly editor: EditorPage,
    nodeRed: NodeRedProcess,
    look: Look
  ) {
    this.#look = look;
    this.#dialogs = new AllDialogs(editor);
    this.#sidebar = new SidebarPage(editor, nodeRed);
  }

  /**
   * Opens the editor in a browser of its own, in a language and a theme, as its user has chosen them.
   *
   * @param browser as found by `requireProgram`
   */
  static async begin(nodeRed: NodeRedProcess, browser: string, look: Look): Promise<EditorTour> {
    const { language, theme, major } = look;
    const editor = await EditorPage.open(nodeRed, browser, {
      ...{ context: { viewport: WINDOW }, still: true, patience: PATIENCE },
      stored: { 'editor-language': language, 'view-dark-theme': theme }
    });
    const tour = new EditorTour(editor, nodeRed, look);
    try {
      if (theme === 'dark' && major === 4)
        for (const style of DARK_STYLES) await editor.page.addStyleTag({ path: style });
      const isDark = await editor.page.evaluate<boolean>(
        "getComputedStyle(document.body).getPropertyValue('--red-ui-form-background').trim() !== '#fff'"
      );
      should(isDark).equal(theme === 'dark');
      await tour.#speaks(language);
      return tour;
    } catch (error) {
      await editor.close();
      throw error;
    }
  }

  /** @returns what is wrong with the palette, the dialogs, the sidebar and the log of the page, one line each */
  async faults(): Promise<string[]> {
    const faults = [
      ...(await this.#paletteFaults()),
      ...(await this.#dialogFaults()),
      ...(await this.#sidebarFaults())
    ];
    return [...faults, ...this.editor.errors];
  }

  async close(): Promise<void> {
    await this.editor.close();
  }

  async #dialogFaults(): Promise<string[]> {
    const faults: string[] = [];
    for (const node of OUR_NODES)
      await this.#dialogs.whileOpen(node, async () => {
        await this.#shoot(node.type);
        const found = [
          ...(await this.#dialogs.faults()),
          ...(await this.#rawKeys('.red-ui-tray form'))
        ].filter(
          // Most languages need more room than English: a label may take a second line there.
          (fault) => this.#look.language === 'en-US' || !fault.startsWith('two lines')
        );
        if (this.#look.axe) found.push(...(await axeFindings(this.editor.page, ['.red-ui-tray form'])));
        faults.push(...found.map((fault) => `${node.type}: ${fault}`));
      });
    return faults;
  }

  async #sidebarFaults(): Promise<string[]> {
    const faults: string[] = [];
    const look = async (name: string): Promise<void> => {
      await this.#shoot(name);
      const found = await this.editor.page.evaluate<string[]>(SIDEBAR_FAULTS);
      found.push(...(await this.#rawKeys('.telnyx-sidebar')));
      if (this.#look.axe) found.push(...(await axeFindings(this.editor.page, ['.telnyx-sidebar'])));
      faults.push(...found.map((fault) => `${name}: ${fault}`));
    };
    await this.#sidebar.open('now');
    await this.#sidebar.at('[role=listitem]:has(progress)').first().waitFor();
    await look('now');
    await this.#sidebar.at('.telnyx-sidebar-sample > summary').click();
    await this.#sidebar.at('.telnyx-sidebar-sample [role=option]').first().waitFor();
    await look('now-sample');
    await this.#sidebar.open('archive');
    await this.#sidebar.at('.telnyx-sidebar-row').first().waitFor();
    await look('archive');
    await this.#sidebar.at('.telnyx-sidebar-row:has(.fa-play, .fa-volume-up)').first().click();
    await this.#sidebar.at('audio[src]').waitFor();
    await look('archive-recording');
    await this.#sidebar.open('deliveries');
    await look('deliveries');
    return faults;
  }

  async #paletteFaults(): Promise<string[]> {
    const wrapped = await this.#dialogs.wrappedLabels();
    const found = wrapped.map((label) => `palette: ${JSON.stringify(label)}`);
    if (this.#look.axe) found.push(...(await axeFindings(this.editor.page, ['#red-ui-palette-telnyx'])));
    return found;
  }

  /** Node-RED has some languages under other names than we have. */
  async #speaks(language: string): Promise<void> {
    const folder = language === 'es-ES' ? 'es' : language;
    const file = path.join(REPOSITORY, 'nodes', 'locales', folder, 'telnyx-sidebar.json');
    const texts = JSON.parse(readFileSync(file, 'utf8')) as { 'telnyx-sidebar': { show: string } };
    const said = await this.editor.page.evaluate<string>(
      "RED._('@red-telephony/node-red-telnyx/telnyx-sidebar:telnyx-sidebar.show')"
    );
    should(said).equal(texts['telnyx-sidebar'].show);
  }

  async #rawKeys(within: string): Promise<string[]> {
    return this.editor.page.evaluate<string[]>(`(${RAW_KEYS})(${JSON.stringify(within)})`);
  }

  /** Keeps a picture when `SCREENSHOTS` names a folder. */
  async #shoot(name: string): Promise<void> {
    const folder = process.env['SCREENSHOTS'];
    if (folder === undefined) return;
    const { major, theme, language } = this.#look;
    const shots = path.join(folder, `${major}-${theme}-${language}`);
    mkdirSync(shots, { recursive: true });
    await this.editor.page.screenshot({ path: path.join(shots, `${name}.png`) });
  }
}
