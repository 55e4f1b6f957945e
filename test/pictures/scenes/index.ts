import type { Scene } from '../studio';
import { ARCHIVE } from './archive';
import { DIALOGS } from './dialogs';
import { NEWCOMER } from './newcomer';

/** All pictures of the documents. */
export const SCENES: readonly Scene[] = [NEWCOMER, DIALOGS, ARCHIVE];
