import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import should from 'should';

const UNITS = path.join(__dirname, '../unit');

describe('fast unit tests', () => {
  const specs = readdirSync(UNITS, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.spec.ts')
  );

  it('need no S3 server (otherwise name the file *.slow.spec.ts, which npm run test:unit skips)', () => {
    const needing = specs.filter((name) =>
      /from '[^']*\/(?:s3-server|ceph|bucket-fixture)'/.test(readFileSync(path.join(UNITS, name), 'utf8'))
    );
    should(needing.filter((name) => !name.endsWith('.slow.spec.ts'))).eql([]);
    should(needing.length).be.above(0);
  });
});
