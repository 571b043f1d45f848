// The head of a review: what is asked, how long there is, what was changed by hand, and the answers.
(() => {
  const {h} = studio;

  const left = (until) => {
    const seconds = Math.max(0, Math.round(until - Date.now() / 1000));
    if (seconds < 90) return `${seconds} s`;
    return seconds < 5400
      ? `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`
      : `${Math.floor(seconds / 3600)} h ${String(Math.floor((seconds % 3600) / 60)).padStart(2, '0')} min`;
  };

  studio.gate = (context) => {
    let clock = null;
    setInterval(() => {
      if (clock?.isConnected && !document.hidden) clock.textContent = left(Number(clock.dataset.until));
    }, 1000);
    studio.mount(context, (value, root) =>
      studio.keepFocus(root, () => {
        (context.element.closest('.block') || context.element).classList.toggle('st-gone', !value);
        root.className = 'st-gate panel';
        if (!value) return root.replaceChildren();
        clock = null;
        let time = h('span', 'st-gate-time', 'It waits until somebody answers.');
        if (value.until) {
          clock = h('b', 'num', left(value.until));
          clock.dataset.until = value.until;
          time = h('span', 'st-gate-time', null, h('span', '', 'Goes on by itself in '), clock);
          time.title = value.by_itself || '';
        }
        const list = h('ul', 'st-gate-changes');
        for (const text of value.changes || []) list.append(h('li', '', text));
        const acts = h(
          'div',
          'st-gate-acts',
          null,
          ...(value.actions || []).map((action) => {
            const node = studio.button(
              `st-run-act changes${action.primary ? ' primary' : ''}`,
              action.label,
              action.hint,
              () => context.trigger('act', {key: action.key}),
            );
            node.disabled = Boolean(action.disabled);
            node.dataset.key = `gate ${action.key}`;
            return node;
          }),
        );
        if (typeof value.pool === 'boolean') {
          const box = h('input');
          box.type = 'checkbox';
          box.checked = value.pool;
          box.dataset.key = 'gate pool';
          box.addEventListener('change', () => context.trigger('pool', {on: box.checked}));
          acts.append(h('label', '', null, box, h('span', '', 'also mark them in the pool, for later runs')));
        }
        const problem = value.problem ? h('p', 'st-gate-problem', `This cannot be selected: ${value.problem}`) : null;
        problem?.setAttribute('role', 'alert');
        root.replaceChildren(
          ...[
            h('div', 'st-gate-top', null, h('h3', '', value.title), time),
            value.text ? h('p', '', value.text) : null,
            value.until && value.by_itself ? h('p', 'st-hint', value.by_itself) : null,
            list.children.length
              ? h(
                  'div',
                  'st-gate-hand',
                  null,
                  h('b', '', 'Changed by hand'),
                  list,
                  value.effect ? h('p', '', value.effect) : null,
                  value.who ? h('p', 'st-hint', value.who) : null,
                )
              : null,
            problem,
            acts,
          ].filter(Boolean),
        );
      }),
    );
  };
})();
