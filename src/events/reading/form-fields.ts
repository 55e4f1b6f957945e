/** The fields of a form, flat, as sent: one string for each name. */
export type FormFields = Record<string, string>;

/**
 * Reads `application/x-www-form-urlencoded` text (a form body, or a query string without its `?`).
 *
 * Names stay literal: `CallCost[v3:…]` is one field, not an object. `+` is a space; a percent sign
 * that starts no escape stays a percent sign; bytes that are no UTF-8 become U+FFFD. A name that is
 * repeated keeps its last value, as in JSON. A field called `__proto__` is left out.
 *
 * Rule: WHATWG URL, "application/x-www-form-urlencoded parsing". Never throws.
 */
export function readFormFields(text: string): FormFields {
  const fields: FormFields = {};
  // The leading `&` keeps URLSearchParams from taking a first `?` for its own; empty parts are skipped.
  for (const [name, value] of new URLSearchParams(`&${text}`)) {
    if (name !== '__proto__') fields[name] = value;
  }
  return fields;
}
