// Lines with an icon that says how something went; the text says it, too.

export type Mark = 'ok' | 'warning' | 'failed' | 'running';

const ICONS: Readonly<Record<Mark, string>> = {
  ok: 'fa-check-circle',
  warning: 'fa-exclamation-triangle',
  failed: 'fa-times-circle',
  running: 'fa-spinner fa-spin'
};
const COLOURS: Readonly<Record<Mark, string>> = {
  ok: 'var(--red-ui-text-color-success)',
  warning: 'var(--red-ui-text-color-warning)',
  failed: 'var(--red-ui-text-color-error)',
  running: 'inherit'
};

export function icon(mark: Mark): JQuery {
  return $('<i aria-hidden="true"></i>').addClass(`fa ${ICONS[mark]}`).css('color', COLOURS[mark]);
}

/** An item of a list with the class `fa-ul`. */
export function markedItem(mark: Mark, text: string): JQuery {
  return $('<li></li>')
    .css('margin-bottom', '4px')
    .attr('data-result', mark)
    .append(icon(mark).addClass('fa-li'))
    .append($('<span></span>').text(text));
}
