// A text field that offers completions in groups, by the pattern "combobox with listbox popup" of the ARIA practices.

export interface ComboGroup {
  title: string;
  options: readonly ComboOption[];
}

export interface ComboOption {
  /** What is shown in the first line. */
  text: string;
  /** The second line. */
  note: string;
  /** What the field contains once the option is chosen. */
  value: string;
}

interface Combo {
  /** Names the list for screen readers. */
  label: string;
  /** The options for what is in the field now. */
  offer: (typed: string) => { groups: ComboGroup[]; isSearch: boolean };
}

const TALLEST_PX = 280;
const NARROWEST_PX = 320;
const EDGE_PX = 8;
let lists = 0;

/** Opens a list of options while the field has the focus. */
export function makeCombobox(field: JQuery, combo: Combo): void {
  const id = `telnyx-combo-${++lists}`;
  field.attr({
    role: 'combobox',
    autocomplete: 'off',
    'aria-autocomplete': 'list',
    'aria-expanded': 'false',
    'aria-controls': id
  });
  let list: JQuery | null = null;
  let active = -1;

  const options = (): JQuery => list?.find('[role=option]') ?? $();
  const close = (): void => {
    list?.remove();
    list = null;
    active = -1;
    field.attr('aria-expanded', 'false').removeAttr('aria-activedescendant');
    document.removeEventListener('scroll', onScroll, true);
    window.removeEventListener('resize', close);
  };
  const place = (): void => {
    const input = field[0]?.getBoundingClientRect();
    if (input === undefined || list === null) return;
    const below = window.innerHeight - input.bottom - EDGE_PX;
    const isBelow = below >= Math.min(TALLEST_PX, input.top);
    const height = Math.min(TALLEST_PX, isBelow ? below : input.top - EDGE_PX);
    const width = Math.min(Math.max(input.width, NARROWEST_PX), window.innerWidth - 2 * EDGE_PX);
    list.css({
      maxHeight: height,
      width,
      left: Math.max(EDGE_PX, Math.min(input.left, window.innerWidth - width - EDGE_PX)),
      ...(isBelow
        ? { top: input.bottom + 2, bottom: 'auto' }
        : { top: 'auto', bottom: window.innerHeight - input.top + 2 })
    });
  };
  const onScroll = (event: Event): void => {
    const isOwn = list?.[0]?.contains(event.target as globalThis.Node) ?? false;
    if (!isOwn) place();
  };
  const activate = (index: number): void => {
    active = index;
    options().each((at, option) => {
      const isActive = at === index;
      $(option)
        .attr('aria-selected', String(isActive))
        .css('background', isActive ? 'var(--red-ui-list-item-background-selected)' : '');
      if (!isActive) return;
      field.attr('aria-activedescendant', option.id);
      option.scrollIntoView({ block: 'nearest' });
    });
    if (index < 0) field.removeAttr('aria-activedescendant');
  };
  const choose = (index: number): void => {
    const value = options().eq(index).data('value') as string | undefined;
    if (value === undefined) return;
    close();
    field.val(value).trigger('change');
  };
  const show = (): void => {
    const { groups, isSearch } = combo.offer(String(field.val()));
    if (groups.length === 0) {
      close();
      return;
    }
    if (list === null) {
      list = listbox(id, combo.label).appendTo(document.body);
      document.addEventListener('scroll', onScroll, true);
      window.addEventListener('resize', close);
      field.attr('aria-expanded', 'true');
    }
    list.empty().append(groups.map((group, at) => groupOf(group, `${id}-${at}`)));
    list.scrollTop(0);
    place();
    // What is typed selects the best; an empty field selects nothing that was not asked for.
    activate(isSearch ? 0 : -1);
    options().each((index, option) => {
      // The field keeps the focus.
      $(option).on('mousedown', (event) => event.preventDefault());
      $(option).on('click', () => choose(index));
    });
  };

  field.on('focus click input', () => {
    if (document.activeElement === field[0]) show();
  });
  field.on('blur remove', close);
  field.on('keydown', ({ key, altKey, originalEvent }) => {
    const count = options().length;
    const done = (): void => {
      originalEvent?.preventDefault();
      originalEvent?.stopPropagation();
    };
    if (list === null) {
      if (key !== 'ArrowDown') return;
      show();
      activate(0);
      done();
    } else if (key === 'ArrowDown') {
      activate((active + 1) % count);
      done();
    } else if (key === 'ArrowUp' && altKey) {
      close();
      done();
    } else if (key === 'ArrowUp') {
      activate(active <= 0 ? count - 1 : active - 1);
      done();
    } else if (key === 'Enter' && active >= 0) {
      choose(active);
      done();
    } else if (key === 'Escape') {
      close();
      done();
    }
  });
}

function listbox(id: string, label: string): JQuery {
  return $('<div></div>').attr({ id, role: 'listbox', 'aria-label': label, class: 'telnyx-combo-list' }).css({
    // It is outside of the editor, whose fonts it would not have.
    fontFamily: 'var(--red-ui-primary-font)',
    fontSize: 'var(--red-ui-primary-font-size)',
    position: 'fixed',
    zIndex: 2000,
    overflowY: 'auto',
    boxSizing: 'border-box',
    padding: '4px 0',
    background: 'var(--red-ui-form-input-background)',
    color: 'var(--red-ui-primary-text-color)',
    border: '1px solid var(--red-ui-form-input-border-color)',
    borderRadius: '4px',
    boxShadow: 'var(--red-ui-popover-shadow, none)'
  });
}

function groupOf({ title, options }: ComboGroup, id: string): JQuery {
  const heading = $('<div></div>').attr('id', id).text(title).css({
    padding: '6px 10px 2px',
    fontWeight: 'bold',
    color: 'var(--red-ui-secondary-text-color-inactive)'
  });
  const group = $('<div></div>').attr({ role: 'group', 'aria-labelledby': id }).append(heading);
  for (const [at, { text, note, value }] of options.entries()) {
    const option = $('<div></div>')
      .attr({ id: `${id}-${at}`, role: 'option', 'aria-selected': 'false' })
      .data('value', value)
      .css({ padding: '3px 10px 3px 18px', cursor: 'pointer' });
    option.append($('<div></div>').css('overflow-wrap', 'anywhere').text(text));
    option.append(
      $('<div></div>')
        .css({ color: 'var(--red-ui-secondary-text-color-inactive)', fontSize: '12px' })
        .text(note)
    );
    group.append(option);
  }
  return group;
}
