import type { Permission } from '../../admin/permission';
import type { RuntimeAnswer } from '../lib/runtime-call';

/** Translates a key below `telnyx-sidebar.`. */
export type Say = (key: string, values?: Record<string, string | number>) => string;

/** What the frame gives to an open tab. */
export interface TabContext {
  say: Say;
  /** Whether the user may do that: leave out the buttons of everything else. */
  may: (permission: Permission) => boolean;
  /** Asks a route of the runtime; never rejects. @param path below the admin root */
  read: <Reply>(
    path: string,
    query?: Readonly<Record<string, string | number>>
  ) => Promise<RuntimeAnswer<Reply>>;
  /** Makes a route of the runtime do something; never rejects. @param path below the admin root */
  write: <Reply>(path: string, values: object) => Promise<RuntimeAnswer<Reply>>;
  /** What a node is called in the editor; null when it has none of that id. */
  nameOf: (nodeId: string) => string | null;
  /** Shows a node in the workspace. */
  reveal: (nodeId: string) => void;
  /** Switches to another tab of this sidebar. */
  show: (tabId: string) => void;
  /** Aborted when the tab is closed: drop what arrives later. */
  signal: AbortSignal;
}

/**
 * A tab of the sidebar "Telnyx". It is open while it is visible: `close` is called when another tab is chosen, or the
 * sidebar shows something else, or is closed. A closed tab holds no timer, subscription or request.
 */
export interface SidebarTab {
  id: string;
  /** Key of its label, below `telnyx-sidebar.`. */
  label: string;
  /** Without this permission, the tab is left out. */
  permission: Permission;
  /** Whether it is closed while the page is in the background, too. */
  closesWithPage?: boolean;
  /** @param container empty; it is emptied again after `close` */
  open(container: HTMLElement, context: TabContext): void;
  close(): void;
}
