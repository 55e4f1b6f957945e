import should from 'should';
import { PLUGINS } from './node-files';

describe('telnyx-sidebar', () => {
  const [
    { sources, texts, script, text } = { sources: '', texts: new Map<string, string>(), script: '', text: '' }
  ] = PLUGINS;

  it('has every text that its tabs ask for', () => {
    const asked = [...sources.matchAll(/\bsay\(\s*'([^']+)'( \+)?/g)].map(([, key = '', more]) => ({
      key: `telnyx-sidebar.${key}`,
      isBegin: more !== undefined
    }));
    should(asked).not.be.empty();
    const keys = [...texts.keys()];
    const missing = asked.filter(({ key, isBegin }) =>
      isBegin ? !keys.some((one) => one.startsWith(key)) : !texts.has(key)
    );
    should(missing).deepEqual([]);
  });

  it('puts no data into markup', () => {
    should(script).not.match(/innerHTML|outerHTML|insertAdjacentHTML|\.html\(|document\.write/);
  });

  it('has styles for its own elements only', () => {
    const [, style = ''] = /<style>([^]*?)<\/style>/.exec(text) ?? [];
    const selectors = style
      .split('}')
      .flatMap((rule) => (rule.split('{').at(-2) ?? '').split(','))
      .map((each) => each.trim())
      .filter((each) => each !== '' && !each.startsWith('@'));
    should(selectors).not.be.empty();
    should(selectors.filter((each) => !each.startsWith('.telnyx-sidebar'))).deepEqual([]);
  });
});
