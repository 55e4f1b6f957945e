import type { CallTexts } from '../lib/runtime-call';
import { askRuntime, readRuntime } from '../lib/runtime-call';
import { element } from './elements';
import type { Say, SidebarTab, TabContext } from './tab';

/** Where this browser keeps which tab was shown last. */
const LAST_TAB = 'telnyx-sidebar-tab';

/** The content of the sidebar: a row of tabs, and the one that is open below it. */
export class SidebarFrame {
  readonly content: HTMLElement;
  readonly #say: Say;
  readonly #tabs: readonly SidebarTab[];
  readonly #list: HTMLElement;
  readonly #panel: HTMLElement;
  readonly #buttons = new Map<string, HTMLButtonElement>();
  #chosen: SidebarTab | null = null;
  #open: { tab: SidebarTab; closing: AbortController } | null = null;
  #isShown = false;

  constructor(tabs: readonly SidebarTab[], say: Say) {
    this.#say = say;
    this.#tabs = tabs;
    this.#list = element('div', {
      class: 'telnyx-sidebar-tabs',
      role: 'tablist',
      'aria-label': say('label')
    });
    this.#panel = element('div', {
      class: 'telnyx-sidebar-panel',
      role: 'tabpanel',
      id: 'telnyx-sidebar-panel',
      tabindex: 0
    });
    this.content = element('div', { class: 'telnyx-sidebar' }, this.#list, this.#panel);
    this.#list.addEventListener('keydown', (event) => this.#move(event));
    this.#offer();
    RED.events.on('login', () => this.#offer());
    // Node-RED tells when its sidebar shows this tab, but not when it no longer does.
    new IntersectionObserver((entries) => {
      this.#isShown = entries.at(-1)?.isIntersecting === true;
      this.#follow();
    }).observe(this.content);
    document.addEventListener('visibilitychange', () => this.#follow());
  }

  /** Chooses a tab; it opens once the sidebar is visible. */
  choose(id: string): void {
    const permitted = this.#tabs.filter(({ permission }) => RED.user.hasPermission(permission));
    this.#chosen = permitted.find((tab) => tab.id === id) ?? permitted[0] ?? null;
    if (this.#chosen !== null) RED.settings.setLocal(LAST_TAB, this.#chosen.id);
    for (const [key, button] of this.#buttons) {
      const isChosen = key === this.#chosen?.id;
      button.setAttribute('aria-selected', String(isChosen));
      button.tabIndex = isChosen ? 0 : -1;
      if (isChosen) this.#panel.setAttribute('aria-labelledby', button.id);
    }
    this.#follow();
  }

  /** Shows the tabs that the user may see. */
  #offer(): void {
    this.#buttons.clear();
    this.#list.replaceChildren();
    for (const { id, label, permission } of this.#tabs) {
      if (!RED.user.hasPermission(permission)) continue;
      const made = element('button', {
        type: 'button',
        role: 'tab',
        id: `telnyx-sidebar-tab-${id}`,
        class: 'telnyx-sidebar-tab',
        'aria-controls': 'telnyx-sidebar-panel',
        text: this.#say(label),
        onclick: () => this.choose(id)
      });
      this.#buttons.set(id, made);
      this.#list.append(made);
    }
    this.choose(String(RED.settings.getLocal(LAST_TAB)));
  }

  /** As for every list of tabs: arrows, Home and End. */
  #move(event: KeyboardEvent): void {
    const ids = [...this.#buttons.keys()];
    const at = ids.indexOf(this.#chosen?.id ?? '');
    const to: Partial<Record<string, number>> = {
      ArrowRight: (at + 1) % ids.length,
      ArrowLeft: (at + ids.length - 1) % ids.length,
      Home: 0,
      End: ids.length - 1
    };
    const id = ids[to[event.key] ?? -1];
    if (id === undefined) return;
    event.preventDefault();
    this.choose(id);
    this.#buttons.get(id)?.focus();
  }

  #follow(): void {
    const chosen = this.#chosen;
    const isInBackground = document.hidden && chosen?.closesWithPage === true;
    const wanted = this.#isShown && !isInBackground ? chosen : null;
    if (wanted === (this.#open?.tab ?? null)) return;
    if (this.#open !== null) {
      this.#open.closing.abort();
      this.#open.tab.close();
      this.#panel.replaceChildren();
      this.#open = null;
    }
    if (wanted === null) return;
    const closing = new AbortController();
    this.#open = { tab: wanted, closing };
    const container = element('div', { class: `telnyx-sidebar-${wanted.id}` });
    this.#panel.append(container);
    wanted.open(container, this.#context(closing.signal));
  }

  #context(signal: AbortSignal): TabContext {
    const say = this.#say;
    const texts: CallTexts = { notPermitted: say('not-permitted'), notReached: say('not-reached') };
    return {
      say,
      signal,
      may: (permission) => RED.user.hasPermission(permission),
      read: (path, query = {}) => readRuntime(path, query, texts),
      write: (path, values) => askRuntime(path, values, texts),
      nameOf: (id) => {
        // Undefined for a node that a deploy has removed.
        const node = RED.nodes.node(id) ?? null;
        return node === null ? null : RED.utils.getNodeLabel(node, node.type);
      },
      reveal: (id) => RED.view.reveal(id),
      show: (id) => this.choose(id)
    };
  }
}
