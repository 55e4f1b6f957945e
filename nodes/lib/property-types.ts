/** Where a typed property can be read from, as the editor's typed input names it. */
export const PROPERTY_TYPES = ['msg', 'flow', 'global', 'jsonata'] as const;
