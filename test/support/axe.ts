import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';

const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

/** Parts of the editor that are Node-RED's own, though they are within our dialogs. */
const NOT_OURS: readonly string[] = [
  // Invisible fields in front of every dialog, which keep browsers from filling in passwords.
  '[id^="red-ui-trap-"]'
];

/** Node-RED 4 writes on its buttons in a grey of 3.5 to 1, and themes choose those colours: they are not ours. */
const COLOURED_BY_US =
  '*:not(.red-ui-button, .red-ui-button *, .red-ui-editableList-addButton, .red-ui-editableList-addButton *)';

/** As axe describes what it found. */
interface Violation {
  id: string;
  help: string;
  nodes: { target: string[]; failureSummary?: string }[];
}

/**
 * What axe-core, a checker of accessibility, objects to: contrast, roles, names, labels, and its best practices.
 *
 * The body of the editor has no height and hides what overflows, so that axe would take all text for hidden and find no contrast
 * too low: what is around the parts shows what overflows while axe looks.
 *
 * @param within selectors of the parts of the page to look at; those that match nothing are left out
 * @returns one line each; empty when all is well
 */
export async function axeFindings(page: Page, within: readonly string[]): Promise<string[]> {
  if (!(await page.evaluate<boolean>("typeof axe === 'object'"))) {
    await page.evaluate(AXE);
    await page.evaluate(
      `axe.configure({ rules: [{ id: 'color-contrast', selector: ${JSON.stringify(COLOURED_BY_US)} }] })`
    );
  }
  const violations = await page.evaluate<Violation[]>(
    `(async () => {
      const present = (selectors) => selectors.filter((each) => document.querySelector(each) !== null);
      const context = { include: present(${JSON.stringify(within)}), exclude: present(${JSON.stringify(NOT_OURS)}) };
      const around = new Map();
      for (const part of document.querySelectorAll(context.include.join(',')))
        for (let each = part; each !== null; each = each.parentElement) around.set(each, each.style.overflow);
      for (const each of around.keys()) each.style.overflow = 'visible';
      // Behind what overflows is the page, which is white in dark themes, too.
      const behind = [...around.keys()].map((each) => getComputedStyle(each).backgroundColor);
      document.documentElement.style.background = behind.find((colour) => !/, 0\\)$/.test(colour)) ?? '';
      try {
        const { violations } = await axe.run(context, { resultTypes: ['violations'], elementRef: false });
        return violations;
      } finally {
        for (const [each, before] of around) each.style.overflow = before;
        document.documentElement.style.background = '';
      }
    })()`
  );
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary = '' }) => `${id}: ${target.join(' ')}: ${reasonOf(failureSummary)}`)
  );
}

/** The first of the ways to mend it. */
function reasonOf(summary: string): string {
  return (summary.split('\n')[1] ?? '').trim();
}
