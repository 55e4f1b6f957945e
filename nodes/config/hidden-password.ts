/** What the editor shows, saves and sends in place of a password that is already set. */
export const HIDDEN_PASSWORD = '__PWRD__';
