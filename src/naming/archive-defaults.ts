/** The archive's folder when the setting is blank, in the user folder of Node-RED. */
export const DEFAULT_FOLDER = 'telnyx-recordings';
