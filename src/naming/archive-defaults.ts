/** The archive's folder when the setting is blank; it lies in the user folder of Node-RED. */
export const DEFAULT_FOLDER = 'telnyx-recordings';
