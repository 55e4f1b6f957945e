/** The name of a type in the palette. */
export function paletteLabel(this: EditorNode): string {
  return this._(`${this.type}.palette`);
}

/** Names given by users are in italics, as everywhere in Node-RED. */
export function labelStyle(this: EditorNode): string {
  return this.name ? 'node_label_italic' : '';
}
