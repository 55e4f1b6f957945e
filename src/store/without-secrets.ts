/** Field names that hold secrets wherever they appear. */
const SECRET_FIELD =
  /^(authorization|api[_-]?key|secret|password|token|access[_-]?token|signature|url|.*_url)$/i;

/** From the question mark or hash of a link on: where signatures and tokens are. */
const LINK_TAIL = /(\b[a-z][a-z0-9+.-]*:\/\/)([^\s/?#"'<>@]*@)?([^\s?#"'<>]*)([?#][^\s"'<>]*)?/gi;

/** Telnyx API keys (`KEY` + digits and letters) and bearer tokens in running text. */
const KEY_TEXT = /\bKEY[0-9A-F]{16,}\w*\b|\bBearer\s+\S+/gi;

/**
 * Copies a JSON value without what could open something: fields named like a secret are dropped,
 * links lose user, query and fragment, API keys are blanked. Dates become ISO 8601, `undefined` goes.
 */
export function withoutSecrets(value: unknown): unknown {
  if (typeof value === 'string') return cleaned(value);
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== 'object' || value === null) return value;
  const copy: Record<string, unknown> = {};
  for (const [name, inner] of Object.entries(value))
    if (!SECRET_FIELD.test(name) && name !== '__proto__') copy[name] = withoutSecrets(inner);
  return copy;
}

function cleaned(text: string): string {
  return text
    .replace(LINK_TAIL, (_match, scheme: string, _user: string | undefined, place: string) => scheme + place)
    .replace(KEY_TEXT, '(key removed)');
}
