import { readFileSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import { ACTIONS } from '../../nodes/archive/archive-fields';
import { ANSWERS, DESTINATIONS, FORMATS, NETWORKS } from '../../nodes/download/download-fields';
import { OUTCOMES, SENDERS, SOURCES } from '../../nodes/delivery-list/delivery-list-fields';
import { SELECTIONS } from '../../nodes/list/list-fields';
import { DUPLICATES, REPLIES } from '../../nodes/webhook/webhook-fields';
import { providers } from '../../src/providers/registry';
import { REPOSITORY } from '../support/packed-package';
import { NODES } from './node-files';

const MOST_LINES = 150;

const WEBHOOK = { reply: REPLIES, duplicates: DUPLICATES };
const CHOICES: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  'telnyx-webhook-in': WEBHOOK,
  'daily-webhook-in': WEBHOOK,
  'telnyx-recording-download': {
    destination: DESTINATIONS,
    format: FORMATS,
    answer: ANSWERS,
    network: NETWORKS
  },
  'telnyx-recording-list': { provider: providers.names, only: SELECTIONS },
  'telnyx-archive': { action: ACTIONS },
  'telnyx-delivery-list': { source: SOURCES, provider: SENDERS, only: SELECTIONS, outcome: OUTCOMES }
};

describe('dialog sources', () => {
  for (const { type, forms } of NODES) {
    const source = readFileSync(path.join(REPOSITORY, 'nodes', `${type}.html`), 'utf8');

    it(`${type}: the form is short, without script or help`, () => {
      should(source.split('\n').length).be.below(MOST_LINES);
      should([...source.matchAll(/<script type="([^"]+)"/g)].map(([, kind]) => kind)).deepEqual([
        'text/html'
      ]);
    });

    for (const [property, choices] of Object.entries(CHOICES[type] ?? {})) {
      it(`${type}: offers the values of ${property} that the node accepts`, () => {
        const [, options = ''] =
          new RegExp(`<select id="node-input-${property}"[^>]*>([^]*?)</select>`).exec(
            forms.get(type) ?? ''
          ) ?? [];
        should([...options.matchAll(/<option value="([^"]*)"/g)].map(([, value]) => value)).deepEqual([
          ...choices
        ]);
      });
    }
  }
});
