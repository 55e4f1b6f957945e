/** The name of a type in the palette. */
export function paletteLabel(this: EditorNode): string {
  return this._(`${this.type}.palette`);
}

/** The name given by the user, else that of the type. */
export function nodeLabel(this: EditorNode): string {
  return this.name || paletteLabel.call(this);
}

/** Names given by users are in italics, as everywhere in Node-RED. */
export function labelStyle(this: EditorNode): string {
  return this.name ? 'node_label_italic' : '';
}
