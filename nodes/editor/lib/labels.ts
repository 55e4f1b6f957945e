/** How the palette names a type. */
export function paletteLabel(this: EditorNode): string {
  return this._(`${this.type}.palette`);
}

/** Names that users gave stand in italics, as everywhere in Node-RED. */
export function labelStyle(this: EditorNode): string {
  return this.name ? 'node_label_italic' : '';
}
