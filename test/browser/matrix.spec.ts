import should from 'should';
import { AllDialogs, OUR_NODES } from '../support/all-dialogs';
import { axeFindings } from '../support/axe';
import { EditorTour, type Look, type Theme } from '../support/editor-tour';
import { LIVELY_FLOW, LivelyTelephone } from '../support/lively-flow';
import { NodeRedProcess } from '../support/node-red-process';
import { type NodeRedMajor, requireNodeRed5, requireProgram } from '../support/real-parts';

/** As Node-RED names them. */
const LANGUAGES = ['en-US', 'de', 'es-ES', 'fr', 'ja', 'ko', 'pt-BR', 'zh-CN'];
const IS_FULL = process.env['TEST_FULL_MATRIX'] !== undefined;

/**
 * The rounds of a run. Everything with everything takes many minutes: set `TEST_FULL_MATRIX` for that.
 *
 * Light, in Node-RED 4, shows whether all languages fit. What axe finds depends on the theme, hardly on the language.
 */
function looksOf(major: NodeRedMajor): Look[] {
  const themes: Theme[] = ['light', 'dark'];
  return themes.flatMap((theme) =>
    LANGUAGES.filter(
      (language) =>
        IS_FULL || language === 'en-US' || (theme === 'light' && (major === 4 || language === 'ja'))
    ).map((language) => ({ language, theme, major, axe: IS_FULL || language === 'en-US' }))
  );
}

for (const major of [4, 5] as const) {
  describe(`everything of ours in the editor of Node-RED ${major}`, function () {
    this.timeout(400_000);
    let browser: string;
    let nodeRed: NodeRedProcess | undefined;
    let phone: LivelyTelephone | undefined;
    let tour: EditorTour | undefined;

    before('a browser, and Node-RED with something to show', async function () {
      browser = requireProgram(this, '/usr/bin/chromium');
      const installation = major === 5 ? { installation: requireNodeRed5(this) } : {};
      nodeRed = await NodeRedProcess.start({ flow: LIVELY_FLOW, ...installation });
      phone = await LivelyTelephone.call(nodeRed);
    });
    after(async () => {
      await phone?.end();
      await nodeRed?.stop();
    });

    const begin = async (look: Look): Promise<EditorTour> => {
      if (nodeRed === undefined) throw new Error('Node-RED does not run');
      return (tour = await EditorTour.begin(nodeRed, browser, look));
    };
    afterEach(async () => {
      await tour?.close();
      tour = undefined;
    });

    for (const look of looksOf(major)) {
      it(`opens and fits${look.axe ? ' and is accessible' : ''} in ${look.language}, ${look.theme}`, async () => {
        should(await (await begin(look)).faults()).deepEqual([]);
      });
    }

    it('would not hide a colour that nobody can read, or an error in the console', async () => {
      const { editor } = await begin({ language: 'en-US', theme: 'light', major, axe: true });
      const [node] = OUR_NODES;
      if (node === undefined) throw new Error('There is no node');
      const found = await new AllDialogs(editor).whileOpen(node, async () => {
        await editor.page.addStyleTag({
          content: '.red-ui-tray form label { color: #eee !important; }'
        });
        return axeFindings(editor.page, ['.red-ui-tray form']);
      });
      should(found.filter((line) => line.startsWith('color-contrast: ')).length).be.above(1);
      should(editor.errors).deepEqual([]);
      await editor.page.evaluate("console.error('logged'); setTimeout(() => { throw new Error('thrown'); })");
      await editor.page.waitForFunction('new Promise((resolve) => setTimeout(() => resolve(true)))');
      should(editor.errors).deepEqual(['logged', 'thrown']);
    });
  });
}
