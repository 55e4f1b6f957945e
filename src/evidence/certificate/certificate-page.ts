import { type AccountCertificate, type Certificate, REASON_TEXTS } from './certificate';
import { MOST_NAMED, type NamedRecording } from './recording-counts';

/** Where the custody log has a certificate. */
interface LogPlace {
  sha256: string;
  seq: number;
}

/**
 * A certificate as a page for people: without scripts and without anything from elsewhere, black on white, made for paper. All
 * texts are shown as text, whatever is in them.
 */
export function certificatePage(certificate: Certificate, { sha256, seq }: LogPlace): string {
  const { month, statement, reasons, accounts, log, fixity, holds, previous, destinations } = certificate;
  const title = `Completeness of recordings, ${month}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escaped(title)}</h1>
<p class="verdict">${escaped(statement)}</p>
${list(reasons.map((reason) => REASON_TEXTS[reason]))}
${accounts.map(accountPart).join('\n')}
<h2>Stored files</h2>
<p>${escaped(
    fixity === null
      ? 'Stored files were not read again since the month began.'
      : `Read again until ${fixity.checked_at}: ${fixity.files} files, ${fixity.intact} intact, ${fixity.changed} changed, ` +
          `${fixity.missing} missing, ${fixity.unreadable} not readable.`
  )}</p>
<p>${escaped(`Open holds: ${holds.open_cases} cases, ${holds.recordings} recordings.`)}</p>
<h2>Custody log</h2>
${table(
  ['Event', 'Lines in the month'],
  Object.entries(log.events).map(([event, lines]) => [event, lines])
)}
${table(
  ['File', 'Numbers', 'Signed', 'Time stamp', 'SHA-256'],
  log.files.map(({ file, first_seq, last_seq, checkpoint_sha256, has_time_stamp, ...each }) => [
    file,
    `${first_seq ?? '?'} to ${last_seq ?? '?'}`,
    yesNo(checkpoint_sha256 !== null),
    yesNo(has_time_stamp),
    each.sha256
  ])
)}
<h2>About this certificate</h2>
${table(
  ['', ''],
  [
    ['Month (UTC)', `${certificate.from} to ${certificate.to}`],
    ['Made', certificate.made_at],
    ['Clock', certificate.clock_doubt ?? 'no doubt'],
    ['Installation', certificate.installation],
    ['Software', certificate.software],
    ['SHA-256 of the settings', certificate.settings_sha256 ?? 'not known'],
    ['Destinations', destinations.join(', ')],
    ['SHA-256 of the JSON', sha256],
    ['Line of the custody log', seq],
    ['Certificate of the month before', previous === null ? 'none' : `${previous.month}: ${previous.sha256}`]
  ]
)}
<p>This page shows what is in the JSON file. It tells of what the provider lists, of what was delivered and of what is stored; a
call that was never recorded is in none of these. Check the JSON file with <code>telnyx-evidence certificate</code>.</p>
</body>
</html>
`;
}

function accountPart(account: AccountCertificate): string {
  const { provider, account: id, sources, runs, gaps, incomplete_sources, days, totals } = account;
  const known = totals.listed + totals.only_elsewhere;
  return `<h2>${escaped(`${provider}, account ${id === '' ? 'without a name' : id}`)}</h2>
<p>${escaped(`Sources: ${sources.length === 0 ? 'none' : sources.join(', ')}. Runs of recording lists: ${runs.ended}, of which ${runs.complete} complete.`)}</p>
<p>${escaped(
    `${totals.listed} listed + ${totals.only_elsewhere} known from elsewhere only = ${known} = ${totals.stored} stored + ` +
      `${totals.deleted} deleted by policy + ${totals.erased} erased + ${totals.not_ready} not ready + ${totals.without_file} ` +
      `without a file + ${totals.given_up} given up + ${totals.unexplained} unexplained`
  )}</p>
<h3>Gaps</h3>
${table(
  ['From', 'To'],
  gaps.map(({ from, to }) => [from, to])
)}
<h3>Incomplete sources</h3>
${table(
  ['Source', 'Day', 'Why'],
  incomplete_sources.map(({ source, day, reasons }) => [source, day, reasons.join(', ')])
)}
<h3>Unexplained</h3>
${named(account.unexplained, totals.unexplained)}
<h3>Given up</h3>
${named(account.given_up, totals.given_up)}
<h3>Days</h3>
${table(
  DAY_HEADINGS,
  days.map((day) => [
    ...[day.day, day.listed, day.only_elsewhere, day.stored, day.deleted, day.erased],
    ...[day.not_ready, day.without_file, day.given_up, day.unexplained]
  ])
)}`;
}

const DAY_HEADINGS = [
  ...['Day (UTC)', 'Listed', 'Elsewhere only', 'Stored', 'Deleted', 'Erased'],
  ...['Not ready', 'Without file', 'Given up', 'Unexplained']
];

function named(recordings: readonly NamedRecording[], all: number): string {
  const rows = recordings.map(({ day, recording, source }) => [day, recording, source]);
  const more =
    all > recordings.length ? `<p>${escaped(`The first ${MOST_NAMED} of ${all} are shown.`)}</p>` : '';
  return table(['Day', 'Recording', 'Source'], rows) + more;
}

function table(headings: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  if (rows.length === 0) return '<p>None.</p>';
  const head = headings.some((heading) => heading !== '')
    ? `<thead><tr>${headings.map((heading) => `<th>${escaped(heading)}</th>`).join('')}</tr></thead>`
    : '';
  const body = rows.map((row) => `<tr>${row.map(cell).join('')}</tr>`).join('\n');
  return `<table>${head}<tbody>\n${body}\n</tbody></table>`;
}

function cell(value: string | number): string {
  return `<td${typeof value === 'number' ? ' class="number"' : ''}>${escaped(String(value))}</td>`;
}

function list(texts: readonly string[]): string {
  return texts.length === 0 ? '' : `<ul>${texts.map((text) => `<li>${escaped(text)}</li>`).join('')}</ul>`;
}

function yesNo(is: boolean): string {
  return is ? 'yes' : 'no';
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;'
};

/** What would be markup, or be obeyed, hidden or reordered instead of shown. */
const UNSAFE = /[&<>"']|[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu;

function escaped(text: string): string {
  return text.replace(UNSAFE, (character) => ENTITIES[character] ?? '?');
}

const STYLE = `
body { font: 11pt/1.4 sans-serif; color: #000; background: #fff; max-width: 62em; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.5em; } h2 { font-size: 1.2em; margin-top: 1.6em; } h3 { font-size: 1em; margin-bottom: 0.3em; }
.verdict { border: 2px solid #000; padding: 0.6em 1em; font-weight: bold; }
table { border-collapse: collapse; width: 100%; margin: 0.3em 0 0.8em; }
th, td { border: 1px solid #000; padding: 0.15em 0.5em; text-align: left; overflow-wrap: anywhere; vertical-align: top; }
th { border-bottom-width: 2px; overflow-wrap: normal; } .number { text-align: right; }
thead { display: table-header-group; } tr { break-inside: avoid; } h2, h3 { break-after: avoid; }
@media print { body { margin: 0; max-width: none; font-size: 9pt; } }
`;
