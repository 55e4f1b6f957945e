/** Samples a second, as in telephony. */
const RATE = 8000;

/** What is said in turn: seconds, first by the caller. */
const TURNS = [1.2, 3.4, 4.6, 2.1, 3.8, 1.4, 2.9, 5.2, 1.8, 3.1];

/** The pitch of each speaker, in hertz. */
const PITCHES = [118, 196];

/**
 * A conversation without words: a WAV file of two channels, on which two voices alternate, syllable by syllable. Its
 * waveform looks like that of a call; the same seed makes the same one.
 */
export function conversation(seconds: number, seed: number): Buffer {
  const frames = seconds * RATE;
  const wav = Buffer.alloc(44 + frames * 4);
  head(wav, frames);
  const next = numbersFrom(seed);
  let [frame, speaker] = [Math.round(RATE * 0.3), 0];
  for (let turn = 0; frame < frames; turn += 1) {
    const end = frame + Math.round(RATE * (TURNS[turn % TURNS.length] ?? 1) * (0.7 + 0.6 * next()));
    while (frame < Math.min(end, frames)) {
      const length = Math.round(RATE * (0.09 + 0.16 * next()));
      syllable(wav, { frame, length, speaker, loudness: 0.25 + 0.65 * next() });
      frame += Math.round(length * (next() > 0.85 ? 2.4 : 1.15));
    }
    frame += Math.round(RATE * 0.35);
    speaker = 1 - speaker;
  }
  return wav;
}

function syllable(
  wav: Buffer,
  { frame, length, speaker, loudness }: { frame: number; length: number; speaker: number; loudness: number }
): void {
  for (let at = 0; at < length && 44 + (frame + at) * 4 + 4 <= wav.length; at += 1) {
    const envelope = Math.sin((Math.PI * at) / length) ** 0.7;
    const phase = (2 * Math.PI * (PITCHES[speaker] ?? 0) * at) / RATE;
    const level = (Math.sin(phase) + 0.5 * Math.sin(2 * phase) + 0.25 * Math.sin(5 * phase)) / 1.75;
    wav.writeInt16LE(Math.round(level * envelope * loudness * 0x7000), 44 + (frame + at) * 4 + speaker * 2);
  }
}

function head(wav: Buffer, frames: number): void {
  wav.write('RIFF', 0, 'latin1');
  wav.writeUInt32LE(wav.length - 8, 4);
  wav.write('WAVEfmt ', 8, 'latin1');
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(2, 22);
  wav.writeUInt32LE(RATE, 24);
  wav.writeUInt32LE(RATE * 4, 28);
  wav.writeUInt16LE(4, 32);
  wav.writeUInt16LE(16, 34);
  wav.write('data', 36, 'latin1');
  wav.writeUInt32LE(frames * 4, 40);
}

/** From 0 to 1. */
function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >> 8) / 0x7fffff;
  };
}
