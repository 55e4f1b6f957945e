import { HIDDEN_PASSWORD } from '../../config/hidden-password';

/**
 * Tells the editor that the runtime has put a secret into an account, and that it waits for a deploy. The editor never
 * gets the secret.
 *
 * @param id of the account
 */
export async function markStored(id: string): Promise<void> {
  const config = RED.nodes.node(id);
  if (!config) return;
  // A password that is not listed as set would be deleted when the account's dialog is closed.
  config.credentials ??= await knownCredentials(config);
  config.credentials['hmac'] = HIDDEN_PASSWORD;
  config.credentials['has_hmac'] = true;
  config.changed = true;
  RED.nodes.dirty(true);
}

/** Which passwords of a node are set, as the editor asks when it opens the dialog of the node. */
function knownCredentials({ type, id }: EditorNode): Promise<Record<string, unknown>> {
  return new Promise((resolve) => {
    void $.getJSON(`credentials/${type}/${id}`)
      .done((known: Record<string, unknown>) => resolve({ ...known, _: { ...known } }))
      .fail(() => resolve({ has_apiKey: true, _: {} }));
  });
}
