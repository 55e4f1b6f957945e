/** The polynomial of Castagnoli, bits reversed. */
const POLYNOMIAL = 0x82f63b78;

/** Eight tables one after the other: entry `n * 256 + b` is the checksum of byte `b` with `n` zero bytes behind it. */
const TABLES = makeTables();

/**
 * CRC32C (RFC 3720, appendix B.4) over a part of some bytes, eight at a time.
 *
 * @param seed the checksum of what stands before, to go on from there
 */
export function crc32c(bytes: Uint8Array, start: number, end: number, seed = 0): number {
  const tables = TABLES;
  let crc = ~seed;
  let at = start;
  for (const whole = end - 7; at < whole; at += 8) {
    crc ^=
      byte(bytes, at) |
      (byte(bytes, at + 1) << 8) |
      (byte(bytes, at + 2) << 16) |
      (byte(bytes, at + 3) << 24);
    crc =
      entry(tables, 1792 + (crc & 255)) ^
      entry(tables, 1536 + ((crc >>> 8) & 255)) ^
      entry(tables, 1280 + ((crc >>> 16) & 255)) ^
      entry(tables, 1024 + (crc >>> 24)) ^
      entry(tables, 768 + byte(bytes, at + 4)) ^
      entry(tables, 512 + byte(bytes, at + 5)) ^
      entry(tables, 256 + byte(bytes, at + 6)) ^
      entry(tables, byte(bytes, at + 7));
  }
  for (; at < end; at += 1) crc = entry(tables, (crc ^ byte(bytes, at)) & 255) ^ (crc >>> 8);
  return ~crc >>> 0;
}

function byte(bytes: Uint8Array, at: number): number {
  return bytes[at] as number;
}

function entry(tables: Int32Array, at: number): number {
  return tables[at] as number;
}

function makeTables(): Int32Array {
  const tables = new Int32Array(8 * 256);
  for (let value = 0; value < 256; value += 1) {
    let crc = value;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    tables[value] = crc;
  }
  for (let at = 256; at < tables.length; at += 1) {
    const before = tables[at - 256] ?? 0;
    tables[at] = (tables[before & 255] ?? 0) ^ (before >>> 8);
  }
  return tables;
}
