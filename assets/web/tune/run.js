// A run: its state, its stages epoch by epoch, and what can be done with it.
(() => {
  const {h} = studio;
  const STATES = ['queued', 'running', 'waiting', 'stopping', 'stopped', 'failed', 'done'];
  const SURE = 4000; // ms for which a second click counts as "yes"

  const cell = (given) => {
    const state = ['done', 'now', 'ended', 'next', 'none'].includes(given.state) ? given.state : 'none';
    const node = h(
      'td',
      state,
      null,
      given.text ? h('b', 'num', given.text) : null,
      given.hint ? h('span', '', given.hint) : null,
    );
    if (typeof given.share === 'number') {
      const bar = h('i');
      bar.style.width = `${(100 * Math.max(0, Math.min(1, given.share))).toFixed(1)}%`;
      node.append(h('div', 'st-run-bar', null, bar));
    }
    if (given.title) node.title = given.title;
    if (state === 'now') node.setAttribute('aria-current', 'step');
    return node;
  };

  const timeline = (value) => {
    const head = h('tr', '', null, h('th'), ...value.columns.map((name) => h('th', '', name)));
    const rows = value.rows.map((row) =>
      h(
        'tr',
        '',
        null,
        h(
          'th',
          '',
          null,
          h('b', '', row.label),
          ...(row.notes || []).map((note) => h('span', note.hand ? 'hand' : '', note.text)),
        ),
        ...row.cells.map(cell),
      ),
    );
    return h('table', 'st-timeline', null, h('thead', '', null, head), h('tbody', '', null, ...rows));
  };

  studio.run = (context) => {
    let sure = null; // the action that waits for its second click
    let timer = 0;
    let value = null;
    let root = null;
    // Buttons stay the same elements while they say the same: a run is drawn anew every second, and a click between
    // whose press and release its button was replaced would be lost.
    const above = h('div', 'st-run-part');
    const acts = h('div', 'st-run-acts');
    const below = h('div', 'st-run-part');
    let drawn = '';
    const act = (action) => {
      clearTimeout(timer);
      if (action.confirm && sure !== action.key) {
        sure = action.key;
        timer = setTimeout(() => {
          sure = null;
          draw();
        }, SURE);
        return draw();
      }
      sure = null;
      draw();
      context.trigger('act', {key: action.key});
    };
    const button = (action) => {
      const asks = sure === action.key;
      const node = studio.button(
        `st-run-act${action.primary ? ' primary' : ''}${asks ? ' sure' : ''}`,
        asks ? action.confirm : action.label,
        '',
        () => act(action),
      );
      node.id = `tune-${action.key}`;
      node.dataset.key = `run ${action.key}`;
      return h(
        'div',
        `st-run-choice${action.key === 'open' ? '' : ' changes'}`,
        null,
        node,
        action.hint ? h('span', '', action.hint) : null,
      );
    };
    const drawActs = () => {
      const wanted = JSON.stringify([value.actions, sure]);
      if (wanted === drawn) return;
      drawn = wanted;
      acts.replaceChildren(...(value.actions || []).map(button));
      acts.hidden = !value.actions?.length;
    };
    const draw = () =>
      studio.keepFocus(root, () => {
        const part = value.total ? Math.min(1, value.done / value.total) : null;
        const bar = h('div', 'st-bar', null, h('i'));
        if (part === null) bar.classList.add('unknown');
        else bar.firstChild.style.width = `${(100 * part).toFixed(1)}%`;
        bar.setAttribute('role', 'progressbar');
        const moving = ['running', 'stopping'].includes(value.state);
        const count = value.total
          ? `${studio.count(value.done)} of ${studio.count(value.total)} ${value.unit || ''}`
          : '';
        above.replaceChildren(
          ...[
            h(
              'div',
              'st-status-top',
              null,
              h('span', 'st-state', value.state),
              h('b', '', value.title || ''),
              h('span', 'st-eta', value.eta || ''),
            ),
            moving ? bar : null,
            h('div', 'st-status-foot', null, h('span', '', value.text || ''), h('span', 'num', moving ? count : '')),
            value.error ? h('pre', 'st-error', value.error) : null,
          ].filter(Boolean),
        );
        drawActs();
        below.replaceChildren(
          ...[
            value.rows?.length ? timeline(value) : null,
            ...(value.said || []).map((text) => h('p', 'st-run-said', text)),
          ].filter(Boolean),
        );
        if (acts.parentElement !== root) root.replaceChildren(above, acts, below);
      });
    studio.mount(context, (given, node) => {
      (context.element.closest('.block') || context.element).classList.toggle('st-gone', !given);
      root = node;
      value = given;
      root.className = `st-status panel ${STATES.includes(value?.state) ? value.state : 'idle'}`;
      if (!value) return root.replaceChildren();
      draw();
    });
  };
})();
