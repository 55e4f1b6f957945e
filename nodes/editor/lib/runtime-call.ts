import { toldError } from './told-error';

/** What the runtime answered, or why there is no answer, as a text to show. */
export type RuntimeAnswer<Reply> = { ok: true; reply: Reply } | { ok: false; error: string };

/** What to show when the user lacks the permission, and when nothing answers. */
export interface CallTexts {
  notPermitted: string;
  notReached: string;
}

/** Whether the user may do what the buttons of the dialogs do. For others, the buttons are not there. */
export function mayWrite(): boolean {
  return RED.user.hasPermission('flows.write');
}

/**
 * Sends the values of a dialog to a route of the runtime.
 *
 * @param path below the admin root
 * @returns never rejects
 */
export function askRuntime<Reply>(
  path: string,
  values: object,
  texts: CallTexts
): Promise<RuntimeAnswer<Reply>> {
  const sent = { type: 'POST', contentType: 'application/json', data: JSON.stringify(values) };
  return answerOf(path, sent, texts);
}

/** As `askRuntime`, for what the runtime only reads. @param values become the query */
export function readRuntime<Reply>(
  path: string,
  values: Readonly<Record<string, string | number>>,
  texts: CallTexts
): Promise<RuntimeAnswer<Reply>> {
  return answerOf(path, { type: 'GET', data: values, dataType: 'json', cache: false }, texts);
}

function answerOf<Reply>(
  path: string,
  request: JQuery.AjaxSettings,
  texts: CallTexts
): Promise<RuntimeAnswer<Reply>> {
  return new Promise((resolve) => {
    // Relative: the editor may be below another root.
    void $.ajax({ ...request, url: path.slice(1) })
      .done((reply: Reply) => resolve({ ok: true, reply }))
      .fail(({ status, responseJSON }) => {
        const { error, code } = (responseJSON ?? {}) as Partial<Record<string, unknown>>;
        const isForbidden = status === 401 || status === 403;
        const text = typeof error === 'string' ? toldError(code, error) : '';
        resolve({ ok: false, error: text || (isForbidden ? texts.notPermitted : texts.notReached) });
      });
  });
}
