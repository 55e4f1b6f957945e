import { textOf } from './validators';

/** What the runtime answered, or why there is no answer, as a text to show. */
export type RuntimeAnswer<Reply> = { ok: true; reply: Reply } | { ok: false; error: string };

/**
 * Sends the values of a dialog to a route of the runtime.
 *
 * @param path below the admin root
 * @param texts what to show when the user lacks the permission, and when nothing answers
 * @returns never rejects
 */
export function askRuntime<Reply>(
  path: string,
  values: object,
  texts: { notPermitted: string; notReached: string }
): Promise<RuntimeAnswer<Reply>> {
  return new Promise((resolve) => {
    void $.ajax({
      // Relative: the editor may be below another root.
      url: path.slice(1),
      type: 'POST',
      contentType: 'application/json',
      data: JSON.stringify(values)
    })
      .done((reply: Reply) => resolve({ ok: true, reply }))
      .fail(({ status, responseJSON }) => {
        const error = textOf((responseJSON as Partial<Record<string, unknown>> | undefined)?.['error']);
        const isForbidden = status === 401 || status === 403;
        resolve({ ok: false, error: error || (isForbidden ? texts.notPermitted : texts.notReached) });
      });
  });
}
