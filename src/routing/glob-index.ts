/** One node of the prefix tree. */
interface PrefixNode {
  readonly next: Map<string, PrefixNode>;
  /** Globs whose literal prefix ends here. */
  readonly globs: GlobTail[];
}

/** What a glob requires after its literal prefix: the pieces between its stars, and its end. */
interface GlobTail {
  readonly pieces: readonly string[];
  readonly end: string;
  readonly rule: number;
}

/**
 * Many globs, matched together. `*` stands for any run of characters, including dots and the empty
 * run; every other character stands for itself. Matching is case-sensitive.
 *
 * The literal prefixes of all globs form one tree, so a name is compared only with globs that start
 * like it. After the prefix, each piece between two stars is searched once, from left to right: the
 * first occurrence is always right, there is no backtracking, and no pattern or name, however
 * contrived, costs more than (length of name) × (length of pattern).
 */
export class GlobIndex {
  readonly #root: PrefixNode = { next: new Map(), globs: [] };

  /**
   * @param glob a pattern with at least one `*`
   * @param rule the number reported by `collect` when the glob fits
   */
  add(glob: string, rule: number): void {
    const { beginning, tail } = takeApart(glob, rule);
    let node = this.#root;
    for (let at = 0; at < beginning.length; at++) {
      const character = beginning.charAt(at);
      let following = node.next.get(character);
      if (following === undefined) {
        following = { next: new Map(), globs: [] };
        node.next.set(character, following);
      }
      node = following;
    }
    node.globs.push(tail);
  }

  /** Calls `found` with the rule of every glob that fits the whole `name`; a rule may be reported repeatedly. */
  collect(name: string, found: (rule: number) => void): void {
    let node: PrefixNode | undefined = this.#root;
    for (let at = 0; ; at++) {
      for (const glob of node.globs) if (fits(glob, name, at)) found(glob.rule);
      if (at >= name.length) return;
      node = node.next.get(name.charAt(at));
      if (node === undefined) return;
    }
  }
}

/** Prepares a single glob; the result tells whether it fits a whole name. */
export function compileGlob(glob: string): (name: string) => boolean {
  const { beginning, tail } = takeApart(glob, 0);
  return (name) => name.startsWith(beginning) && fits(tail, name, beginning.length);
}

function takeApart(glob: string, rule: number): { beginning: string; tail: GlobTail } {
  const [beginning = '', ...rest] = glob.split('*');
  const end = rest.pop() ?? '';
  return { beginning, tail: { pieces: rest.filter((piece) => piece !== ''), end, rule } };
}

function fits(glob: GlobTail, name: string, from: number): boolean {
  const endsAt = name.length - glob.end.length;
  if (endsAt < from || !name.endsWith(glob.end)) return false;
  let at = from;
  for (const piece of glob.pieces) {
    const found = name.indexOf(piece, at);
    if (found === -1) return false;
    at = found + piece.length;
    if (at > endsAt) return false;
  }
  return true;
}
