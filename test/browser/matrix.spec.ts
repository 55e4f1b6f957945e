import should from 'should';
import type { EditorPage } from '../support/editor-page';
import { EditorTour, type Look, type Theme } from '../support/editor-tour';
import type { NodeRedProcess } from '../support/node-red-process';
import { LIVELY_FLOW, LivelyTelephone } from '../support/lively-flow';
import { type NodeRedMajor, useEditor } from '../support/use-editor';

/** As Node-RED names them. */
const LANGUAGES = ['en-US', 'de', 'es-ES', 'fr', 'ja', 'ko', 'pt-BR', 'zh-CN'];

/**
 * The rounds of a run. Everything with everything takes twelve minutes: set `TEST_FULL_MATRIX` for that.
 *
 * Light, in Node-RED 4, shows whether all languages fit; German has long words, and Japanese other letters.
 */
function looksOf(major: NodeRedMajor): Look[] {
  const themes: Theme[] = ['light', 'dark'];
  return themes.flatMap((theme) =>
    LANGUAGES.filter(
      (language) =>
        process.env['TEST_FULL_MATRIX'] !== undefined ||
        (major === 4 && theme === 'light') ||
        language === (theme === 'light' ? 'en-US' : 'de') ||
        language === 'ja'
    ).map((language) => ({ language, theme }))
  );
}

for (const major of [4, 5] as const) {
  describe(`everything of ours in the editor of Node-RED ${major}`, function () {
    this.timeout(180_000);
    let editor: EditorPage;
    let tour: EditorTour;
    let nodeRed: NodeRedProcess;
    let phone: LivelyTelephone | undefined;

    useEditor({ flow: LIVELY_FLOW, major }, (opened) => {
      ({ editor, nodeRed } = opened);
      tour = new EditorTour(editor, nodeRed, major);
    });
    before(async () => {
      phone = await LivelyTelephone.call(nodeRed);
      await editor.withoutAnimations();
    });
    after(() => phone?.end());

    for (const { language, theme } of looksOf(major)) {
      const axe = true;
      it(`opens, fits and is accessible in ${language}, ${theme}`, async () => {
        await tour.begin({ language, theme });
        const faults = [
          ...(await tour.paletteFaults({ axe })),
          ...(await tour.dialogFaults({ axe })),
          ...(await tour.sidebarFaults({ axe }))
        ];
        should([...faults, ...editor.errors.splice(0)]).deepEqual([]);
      });
    }
  });
}
