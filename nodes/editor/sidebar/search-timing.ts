/** Milliseconds without a key after which a search begins by itself. */
const PAUSE_MS = 350;

/**
 * Calls when the user has changed a search form and paused, or has submitted it.
 *
 * @returns calls at once, as if it was submitted
 */
export function whenSearched(form: HTMLFormElement, onChange: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const change = (): void => {
    clearTimeout(timer);
    if (form.isConnected) onChange();
  };
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    change();
  });
  form.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(change, PAUSE_MS);
  });
  return change;
}
