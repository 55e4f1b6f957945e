// Preloaded by `npm run test:rest`: packs and installs the package once for all processes that it starts. Without this, each of
// them does so itself when it needs the package.
import { packOnce } from './packed-package';

packOnce();
