import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';

const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

/** Parts of the editor that are Node-RED's own, though they are within our dialogs. */
const NOT_OURS: readonly string[] = [
  // Invisible fields in front of every dialog, which keep browsers from filling in passwords.
  '[id^="red-ui-trap-"]'
];

/** As axe describes what it found. */
interface Violation {
  id: string;
  help: string;
  nodes: { target: string[]; failureSummary?: string }[];
}

/**
 * What axe-core, a checker of accessibility, objects to: roles, names, labels, and its best practices. Not contrast: the body of the
 * editor has no height, so that axe takes all text for hidden.
 *
 * @param within selectors of the parts of the page to look at; those that match nothing are left out
 * @returns one line each; empty when all is well
 */
export async function axeFindings(page: Page, within: readonly string[]): Promise<string[]> {
  if (!(await page.evaluate<boolean>("typeof axe === 'object'"))) await page.evaluate(AXE);
  const violations = await page.evaluate<Violation[]>(
    `(async () => {
      const present = (selectors) => selectors.filter((each) => document.querySelector(each) !== null);
      const context = { include: present(${JSON.stringify(within)}), exclude: present(${JSON.stringify(NOT_OURS)}) };
      const { violations } = await axe.run(context, { resultTypes: ['violations'], elementRef: false });
      return violations;
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
