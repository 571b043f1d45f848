// What stands above a table's rows: the search field, the filters in force, the lists to choose from, the pages.
(() => {
  const {h} = studio;
  const PAUSE = 140; // ms without a key after which what was typed is searched for: a word typed at speed is one search
  const PATIENCE = 5000; // ms for which the text that was sent is believed rather than an older answer

  // The search field is made once and never taken out of the page: a redraw keeps focus, caret and composed text.
  studio.searchField = (send) => {
    const input = h('input');
    const problem = h('p', 'st-search-error');
    let timer = 0;
    let last = '';
    let sentAt = -Infinity;
    const submit = () => {
      clearTimeout(timer);
      timer = 0;
      if (input.value === last) return;
      last = input.value;
      sentAt = performance.now();
      send(input.value);
    };
    const wipe = () => {
      input.value = '';
      wiper.hidden = true;
      submit();
      input.focus({preventScroll: true});
    };
    const wiper = studio.iconButton('st-search-clear', 'cross', 'clear the search', wipe);
    input.type = 'search';
    input.setAttribute('aria-label', 'Search');
    input.autocomplete = 'off';
    input.spellcheck = false;
    input.addEventListener('input', (event) => {
      wiper.hidden = !input.value;
      clearTimeout(timer);
      if (!event.isComposing) timer = setTimeout(submit, PAUSE);
    });
    input.addEventListener('compositionend', () => {
      timer = setTimeout(submit, PAUSE);
    });
    input.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && !event.isComposing) submit();
      if (event.key === 'Escape') {
        event.preventDefault();
        event.stopPropagation();
        if (input.value) wipe();
        else input.blur();
      }
    });
    problem.setAttribute('role', 'alert');
    const node = h('div', 'st-search', null, studio.icon('search'), input, wiper, problem);
    const draw = (search) => {
      node.hidden = !search;
      if (!search) return;
      input.placeholder = search.placeholder || 'Search words, "phrases", -not';
      input.title = input.placeholder;
      const text = search.text || '';
      const older = text !== last && performance.now() - sentAt < PATIENCE;
      if (!timer && !older && document.activeElement !== input) {
        input.value = text;
        last = text;
      }
      wiper.hidden = !input.value;
      problem.textContent = search.error || '';
      problem.hidden = !search.error;
      input.setAttribute('aria-invalid', String(Boolean(search.error)));
    };
    return {node, draw};
  };

  // Filters in force, each with a cross.
  studio.chips = (box, chips, trigger) => {
    box.hidden = !chips?.length;
    box.replaceChildren(
      ...(chips || []).map((chip) => {
        const away = studio.iconButton('', 'cross', `remove the filter ${chip.label}`, () =>
          trigger('chip', {key: chip.key}),
        );
        away.dataset.key = `chip ${chip.key}`;
        const node = h('span', 'st-chip', null, h('span', '', chip.label), away);
        node.title = chip.label;
        return node;
      }),
    );
    if (chips?.length > 1)
      box.append(studio.button('st-link', 'Clear all', 'remove every filter', () => trigger('chips_clear', {})));
  };

  // The lists that a table can show.
  studio.filters = (box, value, trigger) => {
    box.hidden = !value.filters?.length;
    box.replaceChildren(
      ...(value.filters || []).map((item) => {
        const choice = studio.button(item.key === value.filter ? 'on' : '', null, item.hint, () =>
          trigger('filter', {key: item.key}),
        );
        choice.setAttribute('aria-pressed', String(item.key === value.filter));
        choice.dataset.key = `filter ${item.key}`;
        choice.append(h('span', '', item.label), h('b', 'num', item.count));
        return choice;
      }),
    );
  };

  studio.pager = (box, value, trigger) => {
    const first = value.page * (value.size || 50) + 1;
    const last = Math.min(value.total, first + value.rows.length - 1);
    const turn = (by, icon, label) => {
      const node = studio.iconButton('st-step', icon, label, () => trigger('turn', {page: value.page + by}));
      node.disabled = value.page + by < 0 || value.page + by >= value.pages;
      node.dataset.key = label;
      return node;
    };
    const text = value.total
      ? `${studio.count(first)}–${studio.count(last)} of ${studio.count(value.total)} ${value.unit || 'rows'}`
      : '';
    box.hidden = !value.rows.length;
    box.replaceChildren(
      h('span', 'num', text),
      ...(value.pages > 1 ? [turn(-1, 'previous', 'previous page'), turn(1, 'next', 'next page')] : []),
    );
  };
})();
