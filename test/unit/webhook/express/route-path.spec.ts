import should from 'should';
import { comparablePath, pathProblem } from '../../../../src/webhook/express/route-path';

describe('comparablePath', () => {
  const rows: [path: string, comparable: string][] = [
    ['/telnyx', '/telnyx'],
    ['telnyx', '/telnyx'],
    ['/telnyx/', '/telnyx'],
    ['//telnyx', '/telnyx'],
    ['/Telnyx', '/telnyx'],
    ['/a//b///c/', '/a/b/c'],
    ['/telnyx?a=/b/', '/telnyx'],
    ['/telnyx/?', '/telnyx'],
    ['/%74elnyx', '/%74elnyx'],
    ['/', '/'],
    ['', '/'],
    ['///', '/'],
    ['?a', '/'],
    ['/?/telnyx', '/'],
    ['http://example.com/Telnyx/?a', '/telnyx'],
    ['HTTPS://example.com:8443//telnyx', '/telnyx'],
    ['https://example.com', '/'],
    ['/http://example.com/telnyx', '/http:/example.com/telnyx']
  ];
  for (const [path, comparable] of rows) {
    it(`${JSON.stringify(path)} is ${comparable}`, () => {
      comparablePath(path).should.equal(comparable);
      comparablePath(comparablePath(path)).should.equal(comparable);
    });
  }
});

describe('pathProblem', () => {
  for (const path of [
    '/telnyx',
    'telnyx',
    '/a/b-c_d.e~f/',
    '/Telnyx',
    '/a%20b',
    '/v1.0/x',
    '/a..b',
    '/flow-x'
  ]) {
    it(`finds none in ${path}`, () => {
      should(pathProblem(path, true)).be.null();
      should(pathProblem(path, false)).be.null();
    });
  }

  const rows: [path: string, reason: RegExp][] = [
    ['', /empty/],
    ['   ', /empty/],
    ['/', /must have a name/],
    ['//', /must have a name/],
    ['/tel nyx', /spaces/],
    ['/telnyx?x=1', /"\?"/],
    ['/telnyx#a', /"#"/],
    ['/:name', /literally/],
    ['/tel*', /literally/],
    ['/tel(nyx)', /literally/],
    ['${TELNYX_PATH}', /environment variable that is not set/],
    ['/hooks/${NAME}', /environment variable that is not set/],
    ['$(TELNYX_PATH)', /environment variable that is not set/],
    ['/t\u00e9lnyx', /letters from a to z/],
    ['/tel\\nyx', /letters from a to z/],
    ['/tel"nyx', /letters from a to z/],
    ['/{telnyx}', /letters from a to z/],
    ['/a/../telnyx', /"\.\."/],
    ['/./telnyx', /"\."/],
    ['/telnyx/..', /"\.\."/]
  ];
  for (const [path, reason] of rows) {
    it(`says what is wrong with ${JSON.stringify(path)}`, () => {
      should(pathProblem(path, false)).match(reason);
    });
  }

  it('keeps away from the editor, where the editor is on the same root', () => {
    for (const path of [
      '/flows',
      '/auth/token',
      '/Settings',
      'red/x',
      '/nodes/',
      '/inject',
      '/Telnyx/catalogue/'
    ]) {
      should(pathProblem(path, true)).match(/editor/);
      should(pathProblem(path, false)).be.null();
    }
  });
});
