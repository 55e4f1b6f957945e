// Writes the bill of materials (CycloneDX, JSON) into sbom.cdx.json, which belongs to a release: npm run sbom
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { sbom } from './sbom.ts';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const bill = sbom(root);
writeFileSync(path.join(root, 'sbom.cdx.json'), `${JSON.stringify(bill, null, 2)}\n`);
console.log(`sbom.cdx.json names ${bill.components.length} packages.`);
