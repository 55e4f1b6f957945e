import { createRequire } from 'node:module';
import should from 'should';

interface FakeNode {
  id: string;
  type: string;
  z: string;
  path?: string;
  d?: boolean;
}

// The scripts of the editor have globals and types of their own.
const { servedBy } = createRequire(__filename)('../../nodes/editor/register/path-conflict') as {
  servedBy: (node: FakeNode, path: string) => FakeNode | null;
};

const webhook = (id: string, path: string, z = 'here', d = false): FakeNode => ({
  ...{ id, type: 'telnyx-webhook-in', path, z, d }
});
const instance = (id: string, of: string, z = 'here'): FakeNode => ({ id, type: `subflow:${of}`, z });

describe('the node that takes the path of a webhook node', () => {
  const before = Object.getOwnPropertyDescriptor(globalThis, 'RED');
  let nodes: FakeNode[];

  /** What the editor knows of its flow. */
  beforeEach(() => {
    nodes = [];
    const tabs: Record<string, object> = { here: {}, elsewhere: {}, off: { disabled: true } };
    const fake = {
      nodes: {
        eachNode: (each: (node: FakeNode) => void) => nodes.forEach(each),
        workspace: (id: string) => tabs[id]
      }
    };
    Object.defineProperty(globalThis, 'RED', { value: fake, configurable: true, writable: true });
  });
  after(() => {
    Reflect.deleteProperty(globalThis, 'RED');
    if (before !== undefined) Object.defineProperty(globalThis, 'RED', before);
  });

  const takenBy = (...all: FakeNode[]): string | undefined => {
    nodes = all;
    const [first] = all;
    return servedBy(first!, first?.path ?? '')?.id;
  };

  it('is another one on any tab, however the path is written', () => {
    should(takenBy(webhook('a', '/calls'), webhook('b', '/CALLS/', 'elsewhere'))).equal('b');
    should(takenBy(webhook('a', '/calls'), webhook('b', '/other'))).be.undefined();
  });

  it('is none that does not run', () => {
    should(takenBy(webhook('a', '/calls'), webhook('b', '/calls', 'off'))).be.undefined();
    should(takenBy(webhook('a', '/calls'), webhook('b', '/calls', 'here', true))).be.undefined();
    should(takenBy(webhook('a', '/calls', 'off'), webhook('b', '/calls'))).be.undefined();
  });

  it('is one in a subflow that has an instance that runs', () => {
    const inside = webhook('b', '/calls', 'sub');
    should(takenBy(webhook('a', '/calls'), inside)).be.undefined();
    should(takenBy(webhook('a', '/calls'), inside, instance('i', 'sub', 'off'))).be.undefined();
    should(takenBy(webhook('a', '/calls'), inside, instance('i', 'sub', 'elsewhere'))).equal('b');
    const nested = [instance('i', 'sub', 'outer'), instance('o', 'outer')];
    should(takenBy(webhook('a', '/calls'), inside, ...nested)).equal('b');
  });

  it('is the second instance of its own subflow', () => {
    const inside = webhook('a', '/calls', 'sub');
    should(takenBy(inside, instance('i', 'sub'))).be.undefined();
    should(takenBy(inside, instance('i', 'sub'), instance('j', 'sub', 'elsewhere'))).equal('j');
  });

  it('is found in a flow whose subflows contain each other', () => {
    const circle = [instance('i', 'sub', 'other'), instance('j', 'other', 'sub')];
    should(takenBy(webhook('a', '/calls'), webhook('b', '/calls', 'sub'), ...circle)).be.undefined();
  });
});
