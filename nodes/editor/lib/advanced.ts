/**
 * Makes the section for rare settings remember in this browser whether it is open, and open by itself while it holds
 * a field that is invalid.
 */
export function prepareAdvanced(node: EditorNode): void {
  const section = document.getElementById(`${node.type}-advanced`) as HTMLDetailsElement | null;
  if (section === null) return;
  const key = `${node.type}-advanced`;
  section.open = RED.settings.getLocal(key) === 'open';
  let isForced = false;
  $(section).on('toggle', () => {
    // What was opened because of an error is closed the next time.
    if (isForced) isForced = false;
    else RED.settings.setLocal(key, section.open ? 'open' : 'closed');
  });
  const openForErrors = (): void => {
    if (section.open || section.querySelector('.input-error') === null) return;
    isForced = true;
    section.open = true;
  };
  new MutationObserver(openForErrors).observe(section, {
    subtree: true,
    attributes: true,
    attributeFilter: ['class']
  });
  openForErrors();
}
