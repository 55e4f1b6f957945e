import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import { inLanguage, told } from '../../nodes/lib/in-language';
import { CodedError } from '../../src/errors/coded-error';
import {
  DOWNLOAD_ERROR_CODES,
  LIST_ERROR_CODES,
  SETTINGS_ERROR_CODES,
  STATE_ERROR_CODES,
  WEBHOOK_ERROR_CODES
} from '../../src/errors/codes';
import { NOTICES, type Said } from '../../src/errors/notice';
import { REPOSITORY } from '../support/packed-package';
import { languages, textsOf } from './node-files';

const CODES = [
  ...WEBHOOK_ERROR_CODES,
  ...DOWNLOAD_ERROR_CODES,
  ...LIST_ERROR_CODES,
  ...SETTINGS_ERROR_CODES,
  ...STATE_ERROR_CODES
];
const CATALOGUE = 'telnyx-sidebar';
const ENGLISH = 'The detail, in English.';

/** Translates as Node-RED does: a text that is missing in a language is in English, and one that is missing there is its key. */
function nodeRedIn(language: string): {
  _: (key: string, values?: Record<string, string | number>) => string;
} {
  return {
    _: (full, { lng = language } = {}) => {
      const key = full.replace(/^@red-telephony\/node-red-telnyx\/telnyx-sidebar:/, '');
      const chain = [String(lng), 'en-US'].filter((each) => languages().includes(each));
      return chain.map((each) => textsOf(each, CATALOGUE).get(key)).find((text) => text) ?? key;
    }
  };
}

describe('the first sentence of errors', () => {
  for (const language of languages()) {
    it(`is there for every code in ${language}, and is one sentence`, () => {
      const RED = nodeRedIn(language);
      for (const code of CODES) {
        const sentence = textsOf(language, CATALOGUE).get(`telnyx-sidebar.error.${code}`) ?? '';
        should(sentence).match(/^[^.。]{2,100}[.。]$/);
        const text = inLanguage(RED, 'error.' + code, ENGLISH);
        should(text).equal(language === 'en-US' ? ENGLISH : `${sentence} ${ENGLISH}`);
      }
    });
  }

  it('differs from code to code', () => {
    for (const language of languages()) {
      const texts = textsOf(language, CATALOGUE);
      const sentences = CODES.map((code) => texts.get(`telnyx-sidebar.error.${code}`));
      should(new Set(sentences).size).equal(CODES.length);
    }
  });

  it('leaves the text as it is in a language of others, and for something that has no sentence', () => {
    should(inLanguage(nodeRedIn('ru'), 'error.STALLED', ENGLISH)).equal(ENGLISH);
    should(inLanguage(nodeRedIn('de'), 'error.OF_ANOTHER_PACKAGE', ENGLISH)).equal(ENGLISH);
  });
});

describe('notices', () => {
  it('have a text each, and no text has none', () => {
    const keys = [...textsOf('en-US', CATALOGUE).keys()].filter((key) => key.includes('.notice.'));
    should(keys).deepEqual(NOTICES.map((name) => `telnyx-sidebar.notice.${name}`));
  });

  it('are told whole in each language, before or after errors', () => {
    const said: Said[] = [{ notice: 'no-lock' }, { code: 'STALLED', text: ENGLISH }, { notice: 'read-back' }];
    for (const language of [...languages(), 'ru']) {
      const text = (key: string): string =>
        textsOf(language === 'ru' ? 'en-US' : language, CATALOGUE).get(`telnyx-sidebar.${key}`)!;
      const RED = nodeRedIn(language);
      const error = inLanguage(RED, 'error.STALLED', ENGLISH);
      const whole = `${text('notice.no-lock')} ${error} ${text('notice.read-back')}`;
      should(told(RED, said)).equal(whole);
    }
  });
});

describe('every node', () => {
  it('is created so that its errors begin with that sentence', () => {
    const folder = path.join(REPOSITORY, 'nodes');
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.ts')
    );
    const direct = files.filter((name) =>
      readFileSync(path.join(folder, name), 'utf8').includes('nodes.createNode(')
    );
    should(direct).deepEqual([path.join('lib', 'create-node.ts')]);
  });
});

describe('an error with another text', () => {
  it('keeps everything else, and where it comes from', () => {
    const cause = new Error('below');
    const error = new CodedError('RATE_LIMITED', 'Costs $& and $1.', {
      ...{ cause, retryable: true, linkInDoubt: true, retryAfterMs: 5, trouble: 'clock-wrong' }
    });
    const said = error.saying(`Zu viel. ${error.message}`);
    should(said).be.instanceof(CodedError);
    should(String(said)).equal('RATE_LIMITED: Zu viel. Costs $& and $1.');
    for (const name of ['code', 'name', 'retryable', 'linkInDoubt', 'retryAfterMs', 'trouble'] as const)
      should([name, said[name]]).deepEqual([name, error[name]]);
    should(said.cause).equal(cause);
    should(said.stack).equal(error.stack!.replace('Costs', 'Zu viel. Costs'));
    should(new CodedError('STALLED', 'a').saying('b')).not.have.ownProperty('cause');
  });
});
