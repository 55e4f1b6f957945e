import should from 'should';
import type { NodeConfig } from '../../nodes/lib/node-red';
import { wiredBehind } from '../../nodes/lib/wired-behind';

const TYPE = 'http response';

function behind(flow: readonly (NodeConfig & Record<string, unknown>)[], id = 'begin'): string[] {
  const eachNode = (visit: (saved: NodeConfig) => void): void => flow.forEach(visit);
  return wiredBehind({ nodes: { eachNode } } as unknown as Parameters<typeof wiredBehind>[0], id, TYPE).map(
    (one) => one.id
  );
}

function node(id: string, wires: unknown, more: object = {}): NodeConfig & Record<string, unknown> {
  return { id, type: 'function', wires, ...more };
}

const END = { id: 'end', type: TYPE, wires: [] };

describe('wiredBehind', () => {
  it('finds a node through others, whichever output leads there, and only forwards', () => {
    should(behind([node('begin', [['a']]), node('a', [[], ['b']]), node('b', [['end']]), END])).eql(['end']);
    should(behind([node('begin', []), node('before', [['begin', 'end']]), END])).eql([]);
  });

  it('goes through link nodes, and through what is called and comes back', () => {
    const link = node('link', [['end']], { type: 'link in' });
    should(
      behind([node('begin', [['out']]), node('out', [], { type: 'link out', links: ['link'] }), link, END])
    ).eql(['end']);
    const call = node('call', [['end']], { type: 'link call', links: ['sub'] });
    should(behind([node('begin', [['call']]), call, node('sub', [[]], { type: 'link in' }), END])).eql([
      'end'
    ]);
    // A link in names those that lead to it, too.
    should(behind([node('begin', [['in']]), node('in', [[]], { type: 'link in', links: ['end'] }), END])).eql(
      []
    );
  });

  it('ends in a circle, and at a node that is disabled', () => {
    should(behind([node('begin', [['a']]), node('a', [['begin', 'a', 'end']]), END])).eql(['end']);
    should(behind([node('begin', [['a']]), node('a', [['end']], { d: true }), END])).eql([]);
  });

  it('goes into a subflow and out of it', () => {
    const definition = {
      ...{ id: 's', type: 'subflow', in: [{ wires: [{ id: 'inner' }] }] },
      out: [{ wires: [] }, { wires: [{ id: 'inner', port: 0 }] }]
    };
    const inner = node('inner', [[]], { z: 's' });
    const instance = node('i', [['wrong'], ['end']], { type: 'subflow:s' });
    const wrong = { ...END, id: 'wrong' };
    should(behind([node('begin', [['i']]), instance, definition, inner, wrong, END])).eql(['end']);
    should(behind([instance, definition, inner, wrong, END], 'inner')).eql(['end']);
  });

  it('makes nothing of a broken flow', () => {
    const broken = node('begin', [null, 7, [{ id: 9 }, null, 'nowhere', '__proto__']], { z: 3 });
    should(behind([broken, END])).eql([]);
    should(behind([node('begin', 'end'), END])).eql([]);
    should(behind([], 'begin')).eql([]);
  });
});
