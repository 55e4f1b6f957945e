// Which room may import which. The rooms are the folders of src/; ARCHITECTURE.md says what each is for. Arrows run one
// way, from top to bottom: a room may import from the rows below its own, and nothing else.
const ROWS = [
  ['library', 'reconcile', 'sharing'],
  ['retention'],
  ['archive', 'webhook', 'routing'],
  ['evidence'],
  ['providers', 'transfer', 'naming'],
  ['store'],
  ['activity', 'recording', 'verification'],
  ['samples'],
  ['events'],
  ['http', 'state', 'values'],
  ['clock', 'concurrency', 'errors', 'text']
];

/** The simulator stands in for the providers, so it may use little of what it is there to test. */
const SIMULATOR_MAY_IMPORT = ['errors', 'events', 'http', 'samples', 'text', 'values'];

const rooms = ROWS.flatMap((row, at) =>
  row.map((room) => ({
    target: `./src/${room}`,
    from: './src',
    except: [room, ...ROWS.slice(at + 1).flat()].map((path) => `./${path}`),
    message: `src/${room} may import from the rows below its own only (eslint.rooms.mjs, ARCHITECTURE.md).`
  }))
);

/** Zones of import-x/no-restricted-paths. */
export const ZONES = [
  ...rooms,
  {
    target: './src/simulator',
    from: './src',
    except: ['simulator', ...SIMULATOR_MAY_IMPORT].map((path) => `./${path}`),
    message: 'The simulator stands in for the providers and does not use what it tests (eslint.rooms.mjs).'
  },
  {
    target: './src',
    from: ['./nodes', './test', './bench', './scripts'],
    message: 'src/ knows nothing of Node-RED, tests and scripts. Pass in what it needs.'
  },
  {
    target: './nodes',
    from: ['./src/simulator', './test', './bench', './scripts'],
    message: 'The nodes are what users get: neither the simulator nor tests nor scripts belong to them.'
  },
  { target: './scripts', from: ['./test', './bench'], message: 'A script must work without the tests.' }
];
