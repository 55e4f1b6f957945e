import { ResultList } from './archive/result-list';
import { RecordingView } from './archive/recording-view';
import { archiveForm } from './archive/archive-form';
import { element } from './elements';
import type { SidebarTab } from './tab';

/** What is open, to end it. */
let ends: (() => void)[] = [];

/** Finds stored recordings, plays and checks them. */
export const archiveTab: SidebarTab = {
  id: 'archive',
  label: 'archive.label',
  permission: 'telnyx.read',
  open: (container, context) => {
    let recording: RecordingView | null = null;
    let chosenRow: HTMLElement | null = null;
    const list = new ResultList(context, (row, chosen) => {
      recording?.close();
      chosenRow = chosen;
      recording = new RecordingView(context, row, back);
      container.append(recording.view);
      finding.hidden = true;
      recording.focus();
    });
    const begin = async (): Promise<void> => form.offer(await list.begin(form.query()));
    const form = archiveForm(context.say, () => void begin());
    const finding = element('div', {}, form.form, list.view);
    const back = (): void => {
      recording?.close();
      recording?.view.remove();
      recording = null;
      finding.hidden = false;
      // Where the user was, for the keyboard and for the eyes.
      chosenRow?.focus();
    };
    ends = [() => recording?.close(), () => list.close()];
    container.append(finding);
    void begin();
  },
  close: () => {
    for (const end of ends) end();
    ends = [];
  }
};
