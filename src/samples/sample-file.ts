import { type Media } from './media/media';
import { wavMedia } from './media/media-wav';

/** Which file of this package stands for that of a sample. On disk, in jobs. */
export type SampleFile = 'tone' | 'page' | 'text';

/** A file of the package itself, in full. */
export interface SampleContent {
  bytes: Buffer;
  contentType: string;
  /** Its ending. */
  format: string;
}

const SECONDS = 2;

/**
 * The file that stands for a recording (a tone of two seconds), a fax or document (one page), or a text.
 *
 * @param title becomes part of the tone, so that two samples are two files
 * @param format of a text: `vtt` makes subtitles
 */
export function sampleContent(file: SampleFile, title: string, format: string | null): SampleContent {
  if (file === 'page')
    return { bytes: Buffer.from(PAGE, 'latin1'), contentType: 'application/pdf', format: 'pdf' };
  if (file === 'text') {
    const isSubtitles = format === 'vtt';
    const bytes = Buffer.from(isSubtitles ? `WEBVTT\n\n00:00.000 --> 00:02.000\n${TEXT}` : TEXT);
    return isSubtitles
      ? { bytes, contentType: 'text/vtt', format: 'vtt' }
      : { bytes, contentType: 'text/plain; charset=utf-8', format: 'txt' };
  }
  return { bytes: tone(title).bytes(), contentType: 'audio/wav', format: 'wav' };
}

function tone(title: string): Media {
  return wavMedia({ title, seconds: SECONDS, channels: 1 });
}

const TEXT = 'This is a sample. A real text would be here.\n';

/** One page with one line (ISO 32000-1). */
const PAGE = pdf([
  '<< /Type /Catalog /Pages 2 0 R >>',
  '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
  '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R ' +
    '/Resources << /Font << /F1 5 0 R >> >> >>',
  stream('BT /F1 24 Tf 72 720 Td (This is a sample page.) Tj ET'),
  '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>'
]);

function stream(content: string): string {
  return `<< /Length ${content.length} >>\nstream\n${content}\nendstream`;
}

function pdf(objects: readonly string[]): string {
  let text = '%PDF-1.4\n';
  const offsets = objects.map((object, index) => {
    const at = text.length;
    text += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return `${String(at).padStart(10, '0')} 00000 n \n`;
  });
  const size = objects.length + 1;
  return (
    `${text}xref\n0 ${size}\n0000000000 65535 f \n${offsets.join('')}` +
    `trailer\n<< /Size ${size} /Root 1 0 R >>\nstartxref\n${text.length}\n%%EOF\n`
  );
}
