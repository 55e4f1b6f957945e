import { seededNumbers } from './seeded-numbers';

/** Chooses and makes random values, always the same ones for a seed. */
export class Dice {
  readonly #numbers: Generator<number, never>;

  constructor(seed: number) {
    this.#numbers = seededNumbers(seed);
  }

  below(most: number): number {
    return Math.floor(this.#numbers.next().value * most);
  }

  of<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }

  some<T>(most: number, make: () => T): T[] {
    return Array.from({ length: 1 + this.below(most) }, make);
  }
}

const MARKS = '\u0316\u0301\u0315\u0334';

export function hostileText(dice: Dice, escaped: string): string {
  const long = dice.of([101, 300, 5000, 200_000]);
  return dice.of([
    ...[
      'constructor',
      '__proto__',
      'toString',
      'prototype',
      'hasOwnProperty',
      'null',
      'undefined',
      ' ',
      '.',
      '..'
    ],
    ...[
      `../../../${escaped}`,
      `..\\..\\${escaped}`,
      `/tmp/${escaped}`,
      `C:\\${escaped}`,
      `a/../../${escaped}`,
      `%2e%2e%2f${escaped}`
    ],
    ...[
      'CON',
      'nul.txt',
      'CLOCK$',
      'COM\u00b9',
      'conin$',
      '-rf',
      '--help',
      '~root',
      '~',
      '.hidden',
      'trailing. ',
      'a:b|c?*'
    ],
    ...[
      '\ud800',
      `${'x'.repeat(120)}\ud800`,
      `${'x'.repeat(120)}\udfff`,
      '\ufffd',
      '\u202egnp.exe',
      '\0',
      'line\nbreak\r\n',
      '\u001b[2J'
    ],
    ...[
      'a'.repeat(long),
      ' '.repeat(long) + 'x',
      '. '.repeat(long),
      MARKS.repeat(long),
      '<!---->'.repeat(long / 4),
      '://'.repeat(long)
    ],
    ...[
      '%'.repeat(long),
      '"'.repeat(long),
      '🎥'.repeat(long / 4),
      '\ud800'.repeat(long),
      '7'.repeat(long),
      'AAAA'.repeat(long),
      '@'.repeat(long)
    ],
    ...[
      '${HOME}',
      '{{recording_id}}',
      '$(touch x)',
      '<script>',
      "'; DROP",
      'x'.repeat(250) + '.json',
      'KEY0123456789ABCDEF0123'
    ]
  ]);
}

export function hostileUrl(dice: Dice, url: string, escaped: string): string {
  return dice.of([
    ...[
      url,
      url,
      url,
      `${url}?${'a&'.repeat(2000)}`,
      `${url}#${escaped}`,
      `${url}?X-Amz-Date=${'9'.repeat(500)}&X-Amz-Expires=1`
    ],
    ...[
      `https://a${MARKS.repeat(dice.of([100, 4000, 100_000]))}/x`,
      `https://${'@'.repeat(50_000)}`,
      'file:///etc/passwd',
      's3://b/k',
      'gs://b'
    ],
    ...[
      'javascript:alert(1)',
      'data:text/html,x',
      'http://[::1',
      'http://0x7f.1/',
      '//',
      'constructor',
      `http://${'a.'.repeat(5000)}/`
    ],
    ...[
      `http://127.0.0.1:1/${hostileText(dice, escaped)}`,
      'http://127.0.0.1:99999/',
      `${url}/${'../'.repeat(3000)}`,
      `\ud800${url}`
    ]
  ]);
}

export function nested(depth: number): unknown {
  return JSON.parse(`${'['.repeat(depth)}"+12025550100"${']'.repeat(depth)}`);
}
