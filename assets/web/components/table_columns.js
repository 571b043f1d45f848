// The menu of the columns that came with the data: which of them a table shows, and what a filter asks of them.
(() => {
  const {h} = studio;

  const number = (value) => {
    const found = parseFloat(String(value).trim());
    return Number.isFinite(found) ? found : null;
  };

  // A field that sends when it is left or Enter is pressed.
  const field = (key, label, value, placeholder, send) => {
    const input = h('input', 'st-columns-field');
    Object.assign(input, {type: 'text', value: value ?? '', placeholder, autocomplete: 'off', spellcheck: false});
    input.setAttribute('aria-label', label);
    input.dataset.key = key;
    let sent = input.value;
    const submit = () => {
      if (input.value === sent) return;
      sent = input.value;
      send();
    };
    input.addEventListener('change', submit);
    input.addEventListener('keydown', (event) => {
      event.stopPropagation();
      if (event.key === 'Enter' && !event.isComposing) submit();
      if (event.key === 'Escape') input.blur();
    });
    return input;
  };

  const range = (column, narrow) => {
    const send = () => {
      const low = number(from.value);
      const high = number(to.value);
      narrow(low === null && high === null ? null : [low, high]);
    };
    const shown = (value) => (value === null || value === undefined ? '' : `${+(+value).toPrecision(6)}`);
    const key = `column ${column.name}`;
    const from = field(`${key} from`, `${column.name}: at least`, shown(column.from), shown(column.low), send);
    const to = field(`${key} to`, `${column.name}: at most`, shown(column.to), shown(column.high), send);
    for (const input of [from, to]) input.inputMode = 'decimal';
    return h('span', 'st-columns-range', null, from, h('span', '', 'to'), to);
  };

  const values = (column, narrow) =>
    h(
      'span',
      'st-columns-values',
      null,
      ...column.values.map((one) => {
        const choice = studio.button(one.on ? 'on' : '', null, `only samples with ${one.label}`, () => {
          const chosen = column.values.filter((other) => (other === one ? !other.on : other.on));
          narrow(chosen.length ? chosen.map((other) => other.value) : null);
        });
        choice.setAttribute('aria-pressed', String(Boolean(one.on)));
        choice.dataset.key = `column ${column.name} = ${one.value}`;
        choice.append(h('span', '', one.label), h('b', 'num', one.count));
        return choice;
      }),
    );

  const contains = (column, narrow) => {
    const input = field(`column ${column.name} has`, `${column.name}: contains`, column.contains, 'contains', () =>
      narrow(input.value.trim() || null),
    );
    return input;
  };

  // Made once; it stays open while what it does is drawn. In the top layer, since a table hides what leaves its box.
  studio.columnMenu = (trigger) => {
    const list = h('div', 'st-columns-list');
    list.popover = 'auto';
    const opener = studio.button(
      'st-columns',
      'Columns',
      'show, sort and filter by other columns of your data',
      () => {},
    );
    opener.popoverTargetElement = list;
    opener.dataset.key = 'columns';
    const node = h('div', 'st-columns-box', null, opener, list);
    // beside its button, on the side with more room
    list.addEventListener('toggle', () => {
      opener.setAttribute('aria-expanded', String(list.matches(':popover-open')));
      if (!list.matches(':popover-open')) return;
      const at = opener.getBoundingClientRect();
      const below = window.innerHeight - at.bottom - 12;
      const above = at.top - 12;
      const down = below >= Math.min(list.scrollHeight, above);
      list.style.maxHeight = `${Math.max(120, down ? below : above)}px`;
      list.style.left = `${Math.max(8, Math.min(at.right, window.innerWidth - 8) - list.offsetWidth)}px`;
      list.style.top = down ? `${at.bottom + 4}px` : `${Math.max(8, at.top - 4 - list.offsetHeight)}px`;
    });
    const draw = (own) => {
      node.hidden = !own;
      if (!own) return;
      const shown = own.columns.filter((one) => one.shown).map((one) => one.name);
      opener.textContent = shown.length ? `Columns (${shown.length})` : 'Columns';
      list.replaceChildren(
        h(
          'p',
          '',
          own.filter ? 'Columns of your data: tick to show, limit to filter.' : 'Columns of your data: tick to show.',
        ),
        ...own.columns.map((column) => {
          const tick = h('input');
          tick.type = 'checkbox';
          tick.checked = column.shown;
          tick.dataset.key = `column ${column.name}`;
          tick.addEventListener('change', () =>
            trigger('columns', {
              columns: tick.checked ? [...shown, column.name] : shown.filter((name) => name !== column.name),
            }),
          );
          const label = h('label', '', null, tick, h('span', '', column.name));
          label.title = column.name;
          const narrow = (condition) => trigger('narrow', {name: column.name, condition});
          const limit = !own.filter
            ? null
            : column.kind === 'number'
              ? range(column, narrow)
              : column.values
                ? values(column, narrow)
                : contains(column, narrow);
          const note = column.note ? h('small', '', column.note) : null;
          return h('div', 'st-columns-row', null, ...[label, limit, note].filter(Boolean));
        }),
      );
    };
    return {node, draw};
  };
})();
