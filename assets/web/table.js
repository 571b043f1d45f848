// A table of one page of rows; sorting and paging ask the server, so they order all rows, not this page.
(() => {
  const {h} = studio;

  const cell = (column, given) => {
    const item = given !== null && typeof given === 'object' ? given : {text: given};
    const node = h('td', `${column.align === 'right' ? 'right num' : ''} kind-${column.kind || 'text'}${column.minor ? ' minor' : ''}`);
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
    if (text.length > 24) node.title = text.slice(0, 400);
    return node;
  };

  studio.table = (context) => {
    const {trigger} = context;
    const header = (value) => {
      const row = h('tr');
      for (const column of value.columns) {
        const th = h('th', `${column.align === 'right' ? 'right' : ''}${column.minor ? ' minor' : ''}`);
        if (column.width) th.style.width = column.width;
        th.scope = 'col';
        const sorted = value.sort?.column === column.key;
        if (sorted) th.setAttribute('aria-sort', value.sort.descending ? 'descending' : 'ascending');
        if (column.sort) {
          th.append(studio.button('st-sort', `${column.label}${sorted ? (value.sort.descending ? ' ↓' : ' ↑') : ''}`, column.hint,
            () => trigger('sort', {column: column.key})));
        } else th.append(h('span', '', column.label));
        if (column.hint) th.title = column.hint;
        row.append(th);
      }
      return h('thead', '', null, row);
    };

    const body = (value, root) => {
      const node = h('tbody');
      value.rows.forEach((row, index) => {
        const tr = h('tr', value.selected && value.ids[index] === value.selected ? 'open' : '', null,
          ...value.columns.map((column) => cell(column, row[column.key])));
        const pick = () => {
          root.querySelectorAll('tr.open').forEach((other) => other.classList.remove('open'));
          tr.classList.add('open');
          trigger('pick', {id: value.ids[index], index});
        };
        tr.tabIndex = 0;
        tr.addEventListener('click', pick);
        tr.addEventListener('keydown', (event) => {
          if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); pick(); }
          if (event.key === 'ArrowDown') { event.preventDefault(); tr.nextElementSibling?.focus(); }
          if (event.key === 'ArrowUp') { event.preventDefault(); tr.previousElementSibling?.focus(); }
        });
        node.append(tr);
      });
      return node;
    };

    const pager = (value) => {
      const size = value.size || 50;
      const first = value.page * size + 1;
      const last = Math.min(value.total, first + value.rows.length - 1);
      const number = (n) => n.toLocaleString('en');
      const previous = studio.button('st-step', '‹', 'previous page', () => trigger('turn', {page: value.page - 1}));
      const next = studio.button('st-step', '›', 'next page', () => trigger('turn', {page: value.page + 1}));
      previous.disabled = value.page <= 0;
      next.disabled = value.page >= value.pages - 1;
      previous.setAttribute('aria-label', 'previous page');
      next.setAttribute('aria-label', 'next page');
      const text = value.total ? `${number(first)}–${number(last)} of ${number(value.total)} ${value.unit || 'rows'}` : '';
      return h('div', 'st-pager', null, h('span', 'num', text), value.pages > 1 ? previous : null, value.pages > 1 ? next : null);
    };

    const fit = (root) => root.classList.toggle('narrow', root.clientWidth > 0 && root.clientWidth < 640);
    const seen = context.element.firstElementChild;
    new ResizeObserver(() => fit(seen)).observe(seen);

    studio.mount(context, (value, root) => {
      root.className = 'st-table panel';
      fit(root);
      if (!value) return root.replaceChildren();
      const head = h('div', 'st-table-head', null,
        h('div', '', null, value.title ? h('h3', '', value.title) : null, value.note ? h('p', '', value.note) : null));
      if (value.filters?.length) {
        const choices = h('div', 'st-filters');
        for (const item of value.filters) {
          const choice = studio.button(item.key === value.filter ? 'on' : '', null, item.hint, () => trigger('filter', {key: item.key}));
          choice.setAttribute('aria-pressed', String(item.key === value.filter));
          choice.append(h('span', '', item.label), h('b', 'num', item.count));
          choices.append(choice);
        }
        head.append(choices);
      }
      if (!value.rows?.length) return root.replaceChildren(head, h('div', 'st-empty', value.empty || 'Nothing to show.'));
      head.append(pager(value));
      const scroll = root.querySelector('.st-scroll');
      const top = scroll && value.page === root.page ? scroll.scrollTop : 0;
      root.page = value.page;
      const box = h('div', 'st-scroll', null, h('table', '', null, header(value), body(value, root)));
      root.replaceChildren(head, box);
      box.scrollTop = top;
    });
  };
})();
