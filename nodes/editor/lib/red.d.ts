/// <reference types="jquery" />
// The parts of Node-RED's editor (4.0 to 5) that the dialogs use; it ships no types for node authors. Everything
// here is global on the editor's page.

/** A node as the editor holds it: its saved properties and what Node-RED adds. */
interface EditorNode {
  id: string;
  type: string;
  /** Its tab; config nodes may have none. */
  z?: string;
  /** Set when the node is disabled. */
  d?: boolean;
  name?: string;
  /** Secrets typed since the last deploy; older ones are hidden. */
  credentials?: Record<string, unknown>;
  /** Set when it differs from what is deployed. */
  changed?: boolean;
  /** Whether all its properties are valid; unset before the first check. */
  valid?: boolean;
  validationErrors?: string[];
  /** As the runtime has sent it. */
  status?: { text?: string };
  /** Set for the next redraw to show it anew. */
  dirty?: boolean;
  _def: {
    category: string;
    defaults: Record<string, { value: unknown; type?: string; validate?: EditorValidator }>;
    credentials?: Record<string, unknown>;
  };
  _(key: string, values?: Record<string, string | number>): string;
}

/**
 * @returns true when the value is valid, otherwise the reason. It needs one parameter but has two: from their
 *   number, Node-RED knows that the result may be a text
 */
type EditorValidator<Node extends EditorNode = EditorNode> = (
  this: Node,
  value: unknown,
  options: unknown
) => true | string | string[];

interface EditorProperty<Node extends EditorNode> {
  value: unknown;
  required?: boolean;
  /** Type of the config node that the value refers to. */
  type?: string;
  validate?: EditorValidator<Node>;
}

interface EditorDefinition<Node extends EditorNode> {
  category: string;
  color?: string;
  icon?: string;
  defaults: Record<string, EditorProperty<Node>>;
  credentials?: Record<string, { type: 'text' | 'password'; validate?: EditorValidator<Node> }>;
  inputs?: 0 | 1;
  outputs?: number;
  paletteLabel?: (this: Node) => string;
  label: (this: Node) => string;
  labelStyle?: (this: Node) => string;
  outputLabels?: (this: Node, index: number) => string | undefined;
  /** Also called for pasted and imported nodes. */
  onadd?: (this: Node) => void;
  oneditprepare?: (this: Node) => void;
  oneditsave?: (this: Node) => void;
  oneditresize?: (this: Node, size: { width: number; height: number }) => void;
}

declare const RED: {
  nodes: {
    registerType<Node extends EditorNode>(type: string, definition: EditorDefinition<Node>): void;
    eachNode(visit: (node: EditorNode & Record<string, unknown>) => void): void;
    eachConfig(visit: (config: EditorNode & Record<string, unknown>) => void): void;
    workspace(id: string | undefined): { disabled?: boolean } | undefined;
    /** Any node, config nodes too; null when there is none. */
    node(id: string): (EditorNode & Record<string, unknown>) | null | undefined;
    /** Marks the flows as changed since the last deploy. */
    dirty(isDirty: boolean): void;
  };
  validators: {
    /** @param typeField name of the property that holds the type of the value */
    typedInput(typeField: string, isOptional: boolean): EditorValidator;
  };
  /** The language of the editor, such as `de`. */
  i18n: { lang(): string };
  clipboard: { copyText(text: string, near: JQuery, done: string): void };
  /** Everything is permitted when nobody has to log in. */
  user: { hasPermission(permission: string): boolean };
  settings: {
    httpNodeRoot?: string;
    /** What addresses of the admin API begin with, where the editor is served from elsewhere. */
    apiRootUrl?: string;
    /** Of this browser. */
    getLocal(key: string): unknown;
    setLocal(key: string, value: string): void;
  };
  plugins: {
    registerPlugin(id: string, plugin: EditorPlugin & ThisType<LoadedPlugin>): void;
  };
  sidebar: {
    addTab(tab: {
      id: string;
      label: string;
      name: string;
      iconClass: string;
      content: HTMLElement;
      enableOnEdit: boolean;
      action: string;
    }): void;
    show(id: string): void;
  };
  actions: { add(name: string, run: () => void, options?: { label?: string }): void };
  comms: {
    subscribe(topic: string, listener: (topic: string, data: unknown) => void): void;
    unsubscribe(topic: string, listener: (topic: string, data: unknown) => void): void;
    /** `connect`: the runtime is reached, again or for the first time. */
    on(event: 'connect', listener: () => void): void;
    off(event: 'connect', listener: () => void): void;
  };
  events: {
    on(event: 'deploy' | 'login', listener: () => void): void;
    off(event: 'deploy' | 'login', listener: () => void): void;
  };
  view: { reveal(id: string): void; redraw(): void };
  editor: { validateNode(node: EditorNode): boolean };
  utils: { getNodeLabel(node: EditorNode, fallback?: string): string };
  notify(text: string, options: { type: 'success' | 'warning' | 'error'; timeout?: number }): void;
  /** Translates a key of any catalogue: `namespace:key`. */
  _(key: string, values?: Record<string, string | number>): string;
};

interface EditorPlugin {
  onadd(): void;
}

interface LoadedPlugin {
  /** Translates a key of the plugin's own catalogue. */
  _(key: string, values?: Record<string, string | number>): string;
}

interface TypedInputOptions {
  types: readonly string[];
  default?: string;
  typeField?: JQuery;
}

interface JQuery {
  typedInput(options: TypedInputOptions): this;
  typedInput(method: 'value' | 'type'): string;
  editableList<Item>(options: {
    sortable?: boolean;
    removable?: boolean;
    addItem: (row: JQuery, index: number, item: Item) => void;
    removeItem?: (item: Item) => void;
    sortItems?: () => void;
  }): this;
  editableList(method: 'addItem', item: unknown): void;
  editableList(method: 'items'): JQuery;
  editableList(method: 'height', pixels: number): void;
}
