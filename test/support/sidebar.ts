import path from 'node:path';
import type { Locator } from 'playwright-core';
import type { EditorPage } from './editor-page';
import type { NodeRedProcess } from './node-red-process';

/** Set to a folder to look at what the tests show. */
const SHOTS = process.env['SCREENSHOTS'];

/** Colours of a dark theme, for a Node-RED that has none. */
export const DARK = `:root { --red-ui-primary-background: #222; --red-ui-secondary-background: #2b2b2b;
  --red-ui-tertiary-background: #333; --red-ui-primary-text-color: #ddd; --red-ui-secondary-text-color: #bbb;
  --red-ui-header-text-color: #eee; --red-ui-form-text-color: #ddd; --red-ui-form-input-background: #1b1b1b;
  --red-ui-primary-border-color: #555; --red-ui-secondary-border-color: #444; --red-ui-form-input-border-color: #555;
  --red-ui-list-item-background-hover: #383838; --red-ui-list-item-background: #2b2b2b;
  --red-ui-form-button-background: #444; --red-ui-form-tips-background: #3a3520; --red-ui-workspace-button-background: #444;
  --red-ui-workspace-button-color: #ddd; --red-ui-workspace-button-background-hover: #555; --red-ui-form-tips-color: #eee;
  --red-ui-text-color-code: #f99; --red-ui-text-color-link: #6bf; --red-ui-text-color-error: #f77;
  --red-ui-text-color-warning: #fb5; --red-ui-text-color-success: #7d7; }`;

/** A user `reader` who may look at everything and change nothing; all others, also anonymous ones, may do everything. */
export const READER_AUTH = `module.exports.adminAuth = { type: 'credentials',
  users: (name) => Promise.resolve({ username: name, permissions: name === 'reader' ? 'read' : '*' }),
  authenticate: (name) => Promise.resolve({ username: name, permissions: name === 'reader' ? 'read' : '*' }),
  default: () => Promise.resolve({ anonymous: true, permissions: '*' }) };`;

/** Gets a token of a user of `READER_AUTH`, for the header `Authorization: Bearer`. */
export async function tokenOf(nodeRed: NodeRedProcess, username: string): Promise<string> {
  return (await logIn(nodeRed, username)).access_token;
}

async function logIn(nodeRed: NodeRedProcess, username: string): Promise<{ access_token: string }> {
  const scope = username === 'reader' ? 'read' : '*';
  const login = { client_id: 'node-red-editor', grant_type: 'password', scope, username, password: 'x' };
  const response = await nodeRed.admin('auth/token', { method: 'POST', body: JSON.stringify(login) });
  return (await response.json()) as { access_token: string };
}

/** The sidebar "Telnyx" of an editor, used like a person does. */
export class SidebarPage {
  constructor(
    private readonly editor: EditorPage,
    private readonly nodeRed: NodeRedProcess
  ) {}

  at(selector: string): Locator {
    return this.editor.page.locator(`.telnyx-sidebar ${selector}`);
  }

  /** Shows the sidebar, and one of its tabs. */
  async open(tab: 'now' | 'archive' | 'deliveries'): Promise<void> {
    await this.editor.page.evaluate("RED.actions.invoke('telnyx-sidebar:show')");
    await this.at(`#telnyx-sidebar-tab-${tab}`).click();
    await this.at(`.telnyx-sidebar-${tab}`).waitFor();
  }

  /** Shows something else in Node-RED's sidebar. */
  async leave(): Promise<void> {
    await this.editor.page.evaluate("RED.sidebar.show('info')");
    await this.at('.telnyx-sidebar-panel > *').waitFor({ state: 'detached' });
  }

  /** Loads the editor again, as the user `reader` of `READER_AUTH`. */
  async becomeReader(): Promise<void> {
    const { page } = this.editor;
    const tokens = await logIn(this.nodeRed, 'reader');
    await page.evaluate(`localStorage.setItem('auth-tokens', JSON.stringify(${JSON.stringify(tokens)}))`);
    await this.reload();
  }

  /** Loads the editor again. */
  async reload(): Promise<void> {
    await this.editor.reload();
  }

  /** Makes the sidebar as narrow as on a phone, or as wide as wanted. @param width pixels */
  async resize(width: number): Promise<void> {
    await this.editor.page.evaluate(`(() => {
      const sidebar = document.querySelector('#red-ui-sidebar, .red-ui-sidebar');
      const box = document.querySelector('.telnyx-sidebar').closest('#red-ui-sidebar, .red-ui-sidebar') ?? sidebar;
      box.style.width = '${width}px';
    })()`);
  }

  /** Keeps a picture, in light and in dark, when `SCREENSHOTS` names a folder. */
  async shoot(name: string): Promise<void> {
    if (SHOTS === undefined) return;
    const box = this.editor.page.locator('.telnyx-sidebar');
    await box.screenshot({ path: path.join(SHOTS, `${name}.png`) });
    await this.inDark(() => box.screenshot({ path: path.join(SHOTS, `${name}-dark.png`) }));
  }

  /** Does something while the editor has dark colours. */
  async inDark<Result>(work: () => Promise<Result>): Promise<Result> {
    const style = await this.editor.page.addStyleTag({ content: DARK });
    try {
      return await work();
    } finally {
      await style.evaluate((each) => (each as unknown as { remove(): void }).remove());
    }
  }
}
