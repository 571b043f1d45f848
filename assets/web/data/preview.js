// The Data tab's own parts, on the side of files: pools that are loaded, and what chosen files hold before they are.
(() => {
  const {h} = studio;

  const size = (bytes) => {
    const steps = ['B', 'kB', 'MB', 'GB'];
    let at = 0;
    while (bytes >= 1000 && at < steps.length - 1) {
      bytes /= 1000;
      at += 1;
    }
    return `${at && bytes < 10 ? bytes.toFixed(1) : Math.round(bytes)} ${steps[at]}`;
  };

  const when = (seconds) =>
    new Date(1000 * seconds).toLocaleString('en-GB', {
      day: 'numeric',
      month: 'short',
      year: 'numeric',
      hour: '2-digit',
      minute: '2-digit',
    });

  // {pools: [{id, name, rows, bytes, at, from, tags}], open, damaged: [sentence]}; event `open` {id}
  studio.pools = (context) =>
    studio.mount(context, (value, root) => {
      const list = h('ul', 'st-pools-list');
      for (const pool of value?.pools || []) {
        const open = pool.id === value.open;
        const button = studio.button(`st-pool${open ? ' on' : ''}`, null, `pool ${pool.id}`, () =>
          context.trigger('open', {id: pool.id}),
        );
        button.setAttribute('aria-pressed', String(open));
        button.dataset.pool = pool.name;
        button.append(
          h('span', 'st-pool-name', null, h('b', '', pool.name), open ? h('em', '', 'open') : null),
          h('span', 'st-pool-facts num', `${pool.rows.toLocaleString('en')} samples · ${size(pool.bytes)}`),
          h('span', 'st-pool-facts', `loaded ${when(pool.at)}`),
          h('span', 'st-pool-from', `from ${pool.from}`),
        );
        button.lastChild.title = pool.from;
        list.append(h('li', '', null, button));
      }
      for (const said of value?.damaged || []) list.append(h('li', 'st-pool-damaged', said));
      root.replaceChildren(list.children.length ? list : h('div', 'st-empty', 'No pool is loaded yet.'));
    });

  const choice = (value, item, trigger) => {
    const select = h('select');
    select.dataset.role = item.role;
    const unlisted = item.value && !value.columns.includes(item.value) ? [item.value] : [];
    select.append(
      studio.option('', '(none)'),
      ...[...value.columns, ...unlisted].map((column) => studio.option(column, column)),
    );
    select.value = item.value;
    select.addEventListener('change', () => trigger('map', {role: item.role, column: select.value}));
    const label = h('label', `st-role${item.value ? ' given' : ''}`, null, h('span', '', item.label), select);
    label.title = item.hint;
    return label;
  };

  const roles = (value, root, trigger) => {
    const box = h('div', 'st-roles');
    const more = h(
      'details',
      'st-roles-more',
      null,
      h('summary', '', 'More columns: conversation, system prompt, tools …'),
    );
    const rest = h('div', 'st-roles');
    for (const item of value.roles) (item.main ? box : rest).append(choice(value, item, trigger));
    more.append(rest);
    more.open = root.more ?? value.roles.some((item) => !item.main && item.value);
    more.addEventListener('toggle', () => {
      root.more = more.open;
    });
    return [box, more];
  };

  // one speaker of the conversations, and whose turns these are
  const speaker = (value, item, trigger) => {
    const select = h('select');
    select.dataset.role = `role.${item.name}`;
    select.append(...['', ...value.whose].map((role) => studio.option(role, role || '(not known)')));
    select.value = item.value;
    select.addEventListener('change', () => trigger('map', {role: `role.${item.name}`, column: select.value}));
    return h('label', `st-role${item.value ? ' given' : ''}`, null, h('span', '', item.name), select);
  };

  const bad = (value, trigger) => {
    const box = h('input');
    box.type = 'checkbox';
    box.checked = value.bad.on;
    box.dataset.role = 'bad';
    box.addEventListener('change', () => trigger('map', {role: 'bad', column: box.checked ? 'keep' : ''}));
    return h('label', 'st-role-bad', null, box, h('span', '', value.bad.label));
  };

  const files = (value, trigger) => {
    const list = h('ul', 'st-files');
    value.files.forEach((file, index) => {
      const open = index === value.active;
      const button = studio.button(
        `st-file ${open ? 'on' : ''} ${['ok', 'warn', 'error'].includes(file.state) ? file.state : ''}`,
        null,
        file.name,
        () => trigger('file', {index}),
      );
      button.setAttribute('aria-pressed', String(open));
      button.append(
        h('i', 'st-file-mark'),
        h('b', '', file.name),
        h('span', '', [file.format, file.told].filter(Boolean).join(' · ')),
      );
      list.append(h('li', '', null, button));
    });
    if (value.more)
      list.append(h('li', 'st-files-more', `and ${value.more.toLocaleString('en')} more, read by their own format`));
    return list;
  };

  const rows = (value) => {
    const head = h(
      'tr',
      '',
      null,
      ...[
        ['Row', 'right'],
        ['Prompt', ''],
        ['Response', ''],
        ['Source', ''],
      ].map(([name, side]) => h('th', side, name)),
    );
    const body = h('tbody');
    for (const row of value.rows) {
      const cells = row.problem
        ? [Object.assign(h('td', 'problem', null, h('b', '', 'Left out: '), h('span', '', row.problem)), {colSpan: 3})]
        : [
            h(
              'td',
              '',
              null,
              row.before ? h('em', '', `${row.before}: `) : null,
              h('span', '', row.prompt || '(none)'),
            ),
            h('td', '', null, h('span', '', row.response || '(empty)')),
            h('td', 'source', null, h('span', '', row.source)),
          ];
      body.append(
        h('tr', row.problem ? 'bad' : '', null, h('td', 'right num', row.row.toLocaleString('en')), ...cells),
      );
    }
    return h('div', 'st-scroll', null, h('table', '', null, h('thead', '', null, head), body));
  };

  // What `preview_value` of iterit_ui/data/mapping_form.py gives; events `file` {index}, `map` {role, column}, `reset` {}
  studio.preview = (context) =>
    studio.mount(context, (value, root) => {
      const {trigger} = context;
      (context.element.closest('.block') || context.element).classList.toggle('st-gone', !value);
      root.className = 'st-preview panel';
      if (!value) return root.replaceChildren();
      const from = root.querySelector('.st-files');
      if (root.active !== value.active) root.more = undefined;
      root.active = value.active;
      const focused = root.contains(document.activeElement) ? document.activeElement.dataset?.role : null;
      const parts = [
        h(
          'div',
          'st-preview-head',
          null,
          h('h3', '', value.title),
          h(
            'p',
            '',
            'Nothing is loaded yet: this is how the first rows would be read. Change a column to read them another way.',
          ),
        ),
      ];
      if (value.files.length) parts.push(files(value, trigger));
      if (value.error) parts.push(h('div', 'st-preview-note error', value.error));
      if (value.roles) {
        parts.push(...roles(value, root, trigger));
        if (value.speakers.length) {
          parts.push(
            h('h4', 'st-speakers-title', value.speakers_title),
            h('div', 'st-roles st-speakers', null, ...value.speakers.map((item) => speaker(value, item, trigger))),
          );
        }
        if (value.bad) parts.push(bad(value, trigger));
        if (value.told) parts.push(h('div', 'st-preview-note', value.told));
        if (value.by_hand) {
          const told = value.same
            ? `Mapped by hand, here and in ${value.same === 1 ? '1 other file' : `${value.same} other files`} with the same columns.`
            : 'Mapped by hand.';
          parts.push(
            h(
              'div',
              'st-preview-hand',
              null,
              h('span', '', told),
              studio.button('st-link', 'Back to what was found', null, () => trigger('reset', {})),
            ),
          );
        }
      }
      if (value.advice)
        parts.push(
          h(
            'div',
            'st-preview-note warn',
            null,
            h('b', '', value.advice),
            value.first ? h('p', '', `First row: ${value.first}`) : null,
          ),
        );
      for (const problem of value.problems || []) parts.push(h('div', 'st-preview-note warn', problem));
      if (value.rows?.length) parts.push(rows(value));
      root.replaceChildren(...parts);
      const list = root.querySelector('.st-files');
      if (list && from) list.scrollTop = from.scrollTop;
      if (focused) root.querySelector(`[data-role="${CSS.escape(focused)}"]`)?.focus();
    });
})();
