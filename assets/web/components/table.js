// A table of one page of rows; sorting, searching and paging ask the server, so they are about all rows, not this page.
(() => {
  const {h} = studio;
  const TICK = 54; // px, the column of ticks
  const FEW_WORDS = 90; // px, what a column without a width of its own needs
  const FLAGS = {
    edited: ['edited', 'its response was edited'],
    pinned: ['pin', 'pinned'],
    excluded: ['exclude', 'excluded'],
    noted: ['note', 'has a note'],
  };

  const cell = (column, given) => {
    const item = given !== null && typeof given === 'object' ? given : {text: given};
    const node = h(
      'td',
      `${column.align === 'right' ? 'right num' : ''} kind-${column.kind || 'text'}${column.minor ? ' minor' : ''}`,
    );
    const text = item.text === null || item.text === undefined ? '–' : String(item.text);
    if (column.kind === 'badge') node.append(h('span', `st-badge ${studio.tone(item.tone)}`, text));
    else if (column.kind === 'source') {
      const dot = h('i', 'st-dot');
      dot.style.background = studio.token(item.colour);
      node.append(dot, h('span', '', text));
    } else if (column.kind === 'bar') {
      const bar = h('i', 'st-cell-bar');
      bar.style.width = `${Math.round(100 * Math.max(0, Math.min(1, item.share || 0)))}%`;
      bar.style.background = studio.token(item.colour || '--selected');
      node.append(h('div', 'st-cell-box', null, bar, h('span', 'num', text)));
    } else node.append(h('span', '', text));
    const title = item.title || (text.length > 24 ? text : '');
    if (title) node.title = title.slice(0, 400);
    return node;
  };

  // What people did with a row, drawn beside its tick.
  const flags = (names) =>
    (names || [])
      .filter((name) => Object.hasOwn(FLAGS, name))
      .map((name) => {
        const [icon, words] = FLAGS[name];
        const node = h('span', `st-flag ${name}`, null, studio.icon(icon));
        node.title = words;
        node.setAttribute('role', 'img');
        node.setAttribute('aria-label', words);
        return node;
      });

  studio.table = (context) => {
    const root = context.element.firstElementChild;
    const ticks = studio.tableSelection(context);
    let open = null; // id of the row that is shown in full
    let at = null; // which page of which list is on screen

    // Dims the rows where an answer takes long.
    let impatience = 0;
    const trigger = (name, data) => {
      clearTimeout(impatience);
      if (name !== 'pick') root.classList.add('waiting');
      impatience = setTimeout(() => root.classList.remove('waiting'), 5000);
      studio.afterStart(() => context.trigger(name, data));
    };

    const parts = {
      words: h('div', 'st-table-words'),
      pager: h('div', 'st-pager'),
      filters: h('div', 'st-filters'),
      chips: h('div', 'st-chips'),
      scroll: h('div', 'st-scroll'),
      empty: h('div', 'st-empty'),
      search: studio.searchField((text) => trigger('search', {text})),
    };
    const columns = studio.columnMenu(trigger);
    const line = h('div', 'st-table-line', null, parts.search.node, parts.chips);
    const head = h('div', 'st-table-head', null, parts.words, parts.pager, line, parts.filters, columns.node);

    const header = (value) => {
      const row = h('tr');
      if (value.selectable) row.append(ticks.headCell());
      for (const column of value.columns) {
        const th = h('th', `${column.align === 'right' ? 'right' : ''}${column.minor ? ' minor' : ''}`);
        if (column.width) th.style.setProperty('--width', column.width);
        th.scope = 'col';
        const sorted = value.sort?.column === column.key;
        if (sorted) th.setAttribute('aria-sort', value.sort.descending ? 'descending' : 'ascending');
        if (column.sort) {
          const button = studio.button(
            'st-sort',
            `${column.label}${sorted ? (value.sort.descending ? ' ↓' : ' ↑') : ''}`,
            column.hint,
            () => trigger('sort', {column: column.key}),
          );
          button.dataset.key = `sort ${column.key}`;
          th.append(button);
        } else th.append(h('span', '', column.label));
        th.title = column.hint || column.label;
        row.append(th);
      }
      return h('thead', '', null, row);
    };

    const pick = (value, tr, index) => {
      root.querySelectorAll('tr.open').forEach((other) => other.classList.remove('open'));
      tr.classList.add('open');
      open = value.ids[index];
      trigger('pick', {id: value.ids[index], index});
    };

    // A text that is written in its cell: a click or Enter opens a field; Enter or leaving it sends, Escape takes it back.
    // The text that is being written is kept over a redraw, as other rows may change meanwhile.
    let writing = null; // {id, column, text}
    let drawing = false;
    const editable = (value, id, column, td, text) => {
      if (studio.looks()) return td;
      const key = `edit ${id} ${column.key}`;
      const write = () => {
        if (!writing || writing.id !== id || writing.column !== column.key) writing = {id, column: column.key, text};
        const input = h('input', 'st-cell-input');
        Object.assign(input, {
          type: 'text',
          value: writing.text,
          maxLength: column.longest || 200,
          placeholder: column.placeholder || '',
        });
        input.setAttribute('aria-label', `${column.label} of this row`);
        input.dataset.key = key;
        const close = (send) => {
          if (drawing || !writing) return;
          const said = writing.text.trim();
          writing = null;
          shut(send ? said : text);
          if (send && said !== text) trigger('edit', {id, column: column.key, text: said});
        };
        input.addEventListener('input', () => {
          writing.text = input.value;
        });
        input.addEventListener('keydown', (event) => {
          event.stopPropagation();
          if (event.key === 'Enter' && !event.isComposing) close(true);
          else if (event.key === 'Escape') close(false);
        });
        input.addEventListener('blur', () => close(true));
        input.addEventListener('click', (event) => event.stopPropagation());
        td.replaceChildren(input);
        return input;
      };
      const shut = (shown) => {
        const button = studio.button(
          'st-cell-edit',
          shown || column.placeholder || '–',
          `${column.label}: click to change`,
          () => {
            const input = write();
            input.focus({preventScroll: true});
            input.select();
          },
        );
        button.classList.toggle('none', !shown);
        button.dataset.key = key;
        button.addEventListener('click', (event) => event.stopPropagation());
        button.addEventListener('keydown', (event) => event.stopPropagation());
        td.replaceChildren(button);
      };
      if (writing && writing.id === id && writing.column === column.key) write();
      else shut(text);
      return td;
    };

    // Arrows walk, Enter opens, Space ticks, Shift and an arrow tick a range.
    const steer = (value, tr, index, event) => {
      if (event.target !== tr || event.ctrlKey || event.metaKey || event.altKey) return;
      const rows = [...tr.parentElement.children];
      const to = {ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: rows.length - 1}[event.key];
      if (event.key === 'Enter' || (event.key === ' ' && !value.selectable)) pick(value, tr, index);
      else if (event.key === ' ') ticks.toggle(index);
      else if (event.key === 'Escape' && ticks.size()) {
        ticks.drop();
        ticks.paint();
      } else if (rows[to]) {
        if (event.shiftKey && value.selectable) ticks.range(to);
        rows[to].focus();
      } else if (to === undefined) return;
      event.preventDefault();
    };

    const body = (value) => {
      const node = h('tbody');
      const current = Math.max(0, value.ids.indexOf(value.selected));
      value.rows.forEach((row, index) => {
        const id = value.ids[index];
        const names = value.marks?.[id];
        const marked = flags(names);
        const cells = value.columns.map((column) => {
          const td = cell(column, row[column.key]);
          return column.kind === 'edit' ? editable(value, id, column, td, String(row[column.key] ?? '')) : td;
        });
        if (value.selectable) cells.unshift(ticks.cell(index, marked));
        else if (marked.length) cells[0]?.prepend(...marked);
        const tr = h('tr', value.selected && id === value.selected ? 'open' : '', null, ...cells);
        if (names?.includes('excluded')) tr.classList.add('excluded');
        tr.dataset.key = `row ${id ?? index}`;
        tr.tabIndex = index === current ? 0 : -1;
        tr.addEventListener('focus', () => {
          node.querySelectorAll('tr[tabindex="0"]').forEach((other) => {
            other.tabIndex = -1;
          });
          tr.tabIndex = 0;
        });
        tr.addEventListener('mousedown', (event) => {
          if (event.shiftKey && value.selectable) event.preventDefault();
        });
        tr.addEventListener('click', (event) => {
          if (value.selectable && event.shiftKey) ticks.range(index);
          else if (value.selectable && (event.ctrlKey || event.metaKey)) ticks.toggle(index);
          else pick(value, tr, index);
        });
        tr.addEventListener('keydown', (event) => steer(value, tr, index, event));
        node.append(tr);
      });
      return node;
    };

    // The open row inside the box, without moving the page.
    const reveal = () => {
      const row = parts.scroll.querySelector('tr.open');
      const top = parts.scroll.querySelector('thead')?.offsetHeight || 0;
      if (!row) return;
      const {scroll} = parts;
      if (row.offsetTop - top < scroll.scrollTop) scroll.scrollTop = row.offsetTop - top;
      const end = row.offsetTop + row.offsetHeight;
      if (end > scroll.scrollTop + scroll.clientHeight) scroll.scrollTop = end - scroll.clientHeight;
    };

    // Columns of less weight leave where the others would have no room for a few words.
    let needed = 0;
    let width = 0;
    const fit = () => {
      root.classList.toggle('narrow', width > 0 && width < 640);
      root.classList.toggle('snug', width > 0 && width < 780);
      root.classList.toggle('crowded', width > 0 && width < needed);
    };
    // asked for while the table is drawn, its width would have the browser lay out the page there and then
    new ResizeObserver(() => {
      width = root.clientWidth;
      fit();
    }).observe(root);
    root.addEventListener('studio-escape', () => {
      ticks.drop();
      ticks.paint();
    });

    const draw = (value) => {
      const words = root.closest('.bench') ? FEW_WORDS * 2.4 : FEW_WORDS; // few rows are seen there, so each says more
      needed = TICK + value.columns.reduce((sum, column) => sum + (parseInt(column.width, 10) || words), 0);
      fit();
      parts.words.replaceChildren(
        ...[value.title ? h('h3', '', value.title) : null, value.note ? h('p', '', value.note) : null].filter(Boolean),
      );
      studio.pager(parts.pager, value, trigger);
      parts.search.draw(value.search);
      studio.chips(parts.chips, value.chips, trigger);
      line.hidden = !value.search && !value.chips?.length;
      studio.filters(parts.filters, value, trigger);
      columns.draw(value.own);
      ticks.take(value);
      const empty = !value.rows?.length;
      parts.empty.hidden = !empty;
      parts.scroll.hidden = empty;
      parts.empty.textContent = empty ? value.empty || 'Nothing to show.' : '';
      const place = JSON.stringify([value.list_key, value.filter, value.page, value.sort]);
      const top = place === at ? parts.scroll.scrollTop : 0;
      const table = empty ? null : h('table', '', null, header(value), body(value));
      // with columns of the data the table may be wider than its box, so that the response keeps its place
      if (table && value.own?.columns.some((one) => one.shown)) {
        const kept = value.columns.filter((column) => !column.minor);
        table.style.minWidth = `${TICK + kept.reduce((sum, column) => sum + (parseInt(column.width, 10) || 160), 0)}px`;
      }
      parts.scroll.replaceChildren(...(table ? [table] : []));
      parts.scroll.scrollTop = top;
      ticks.paint();
      if (value.selected && (value.selected !== open || place !== at)) reveal();
      open = value.selected || null;
      at = place;
    };

    studio.mount(context, (given) => {
      root.className = 'st-table panel';
      fit();
      if (!given) return root.replaceChildren();
      const value = {
        ...given,
        ids: given.ids || [],
        rows: given.rows || [],
        page: given.page || 0,
        pages: given.pages || 1,
        total: given.total || 0,
      };
      if (!root.contains(head)) root.replaceChildren(head, ticks.bar, parts.scroll, parts.empty);
      studio.keepFocus(root, () => {
        drawing = true;
        try {
          draw(value);
        } finally {
          drawing = false;
        }
      });
    });
  };
})();
