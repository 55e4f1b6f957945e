import path from 'node:path';
import should from 'should';
import { readDemoCommand } from '../../../../src/simulator/demo/demo-options';

describe('npm start: options', () => {
  it('shows the main job on any free port unless a public key is set', () => {
    should(readDemoCommand([], undefined)).containDeep({
      name: 'demonstrate',
      options: { once: false, keep: false, port: 0, fault: 'none' }
    });
    should(readDemoCommand([], ' ').name).equal('demonstrate');
    should(readDemoCommand([], 'a key')).containDeep({ name: 'listen', options: { port: 1880 } });
  });

  it('reads its options', () => {
    const args = ['--once', '--keep', '--port', '1999', '--fault', 'corrupt-media', '--directory', 'here'];
    should(readDemoCommand(args, undefined)).deepEqual({
      name: 'demonstrate',
      options: {
        once: true,
        keep: true,
        port: 1999,
        fault: 'corrupt-media',
        directory: path.resolve('here')
      }
    });
    should(readDemoCommand(['-h'], undefined)).deepEqual({ name: 'help' });
  });

  it('explains what is wrong', () => {
    should(() => readDemoCommand(['--port', '70000'], undefined)).throw(/0 to 65535/);
    should(() => readDemoCommand(['--fault', 'fire'], undefined)).throw(/corrupt-media/);
    should(() => readDemoCommand(['--twice'], undefined)).throw(/--twice/);
    should(() => readDemoCommand(['--once'], 'a key')).throw(/unset TELNYX_PUBLIC_KEY/);
  });
});
