import { SampleProof } from '../../src/samples/sample-proof';

/** Of this process: webhook nodes make samples, download nodes recognise them. */
export const sampleProof = new SampleProof();
