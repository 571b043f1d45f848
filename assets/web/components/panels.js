// Headings, cards, notes, toolbars and the status of a job.
(() => {
  const {h} = studio;

  studio.heading = (context) =>
    studio.mount(context, (value, root) => {
      root.className = `st-heading level-${value?.level === 2 ? 2 : 1}`;
      root.replaceChildren(
        ...(value
          ? [h(value.level === 2 ? 'h3' : 'h2', '', value.title), value.text ? h('p', '', value.text) : '']
          : []),
      );
    });

  // A bar of parts, e.g. the sources' shares; each says what it is when pointed at.
  const stacked = (parts) => {
    const bar = h('div', 'st-parts');
    for (const part of parts) {
      const node = h('i');
      node.style.width = `${(100 * Math.max(0, Math.min(1, part.share || 0))).toFixed(2)}%`;
      node.style.background = studio.token(part.colour);
      node.title = `${part.label}: ${part.hint || `${(100 * part.share).toFixed(part.share < 0.1 ? 1 : 0)} %`}`;
      bar.append(node);
    }
    bar.setAttribute('role', 'img');
    bar.setAttribute('aria-label', parts.map((part) => `${part.label} ${(100 * part.share).toFixed(0)} %`).join(', '));
    return bar;
  };

  const meter = (share, tone) => {
    const bar = h('i', studio.tone(tone));
    bar.style.width = `${(100 * Math.max(0, Math.min(1, share))).toFixed(1)}%`;
    return h('div', 'st-meter', null, bar);
  };

  // A card with a key is a button; the pressed one is `on`. Cards with a group stand under its name, as lines of a list.
  studio.cards = (context) =>
    studio.mount(context, (value, root) =>
      studio.keepFocus(root, () => {
        const groups = new Map();
        const nodes = (value?.cards || []).map((card) => {
          const figure = h(
            'div',
            'st-figure',
            null,
            h('span', `num${String(card.value).length > 6 ? ' long' : ''}`, card.value),
            card.unit ? h('span', 'st-unit', card.unit) : null,
            card.delta ? h('span', 'st-delta', card.delta) : null,
          );
          const node = h(
            card.key ? 'button' : 'div',
            `st-card panel ${studio.tone(card.tone)}${card.lead ? ' lead' : ''}`,
            null,
            h('div', 'st-label', card.label),
            figure,
            typeof card.bar === 'number' ? meter(card.bar, card.tone) : null,
            card.parts?.length ? stacked(card.parts) : null,
            card.hint ? h('div', 'st-hint', card.hint) : null,
          );
          // a long hint is cut on the card
          if (card.hint || card.help) node.title = [card.hint, card.help].filter(Boolean).join('\n');
          node.classList.toggle('quiet', Boolean(card.quiet));
          if (card.group) groups.set(card.group, [...(groups.get(card.group) || []), node]);
          node.dataset.label = card.label;
          if (!card.key) return node;
          node.type = 'button';
          node.dataset.key = `card ${card.key}`;
          node.setAttribute('aria-pressed', String(Boolean(card.on)));
          node.addEventListener('click', () => studio.afterStart(() => context.trigger('pick', {key: card.key})));
          return node;
        });
        const headed = [...groups].map(([title, members]) => {
          const section = h('section', 'st-card-group', null, h('h3', '', title), h('div', '', null, ...members));
          section.setAttribute('aria-label', title);
          return section;
        });
        root.classList.toggle('grouped', headed.length > 0);
        root.replaceChildren(
          ...(headed.length ? headed : nodes),
          ...(value?.legend?.length ? [studio.legend(value.legend)] : []),
        );
      }),
    );

  // A line of words and buttons above what they are about.
  studio.toolbar = (context) =>
    studio.mount(context, (value, root) =>
      studio.keepFocus(root, () => {
        root.className = 'st-toolbar';
        const left = (value?.left || []).map((item) => {
          const className = `st-said ${studio.tone(item.tone)}`;
          const node = item.key
            ? studio.button(className, item.text, '', () => context.trigger('act', {key: item.key}))
            : h('span', className, item.text);
          if (item.key) node.dataset.key = `said ${item.key}`;
          node.title = item.hint || item.text;
          return node;
        });
        const actions = (value?.actions || []).map((action) => {
          // a button may stand for one of another component, which knows more
          const node = studio.button('st-action', null, action.hint || action.label, () =>
            action.clicks ? document.querySelector(action.clicks)?.click() : context.trigger('act', {key: action.key}),
          );
          if (Object.hasOwn(studio.ICONS, action.key)) node.append(studio.icon(action.key));
          node.append(h('span', '', action.label));
          node.disabled = Boolean(action.disabled);
          node.dataset.key = `act ${action.key}`;
          return node;
        });
        root.replaceChildren(h('div', 'st-toolbar-left', null, ...left), h('div', 'st-toolbar-acts', null, ...actions));
      }),
    );

  studio.note = (context) =>
    studio.mount(context, (value, root) => {
      const host = context.element.closest('.block') || context.element;
      host.classList.toggle('st-gone', !value);
      root.className = `st-note ${['info', 'empty', 'warn', 'error', 'good'].includes(value?.tone) ? value.tone : 'info'}`;
      if (!value) return root.replaceChildren();
      root.setAttribute('role', value.tone === 'error' ? 'alert' : 'status');
      const steps = h('ol');
      for (const step of value.steps || []) steps.append(h('li', '', step));
      const action =
        value.action &&
        studio.button('st-action', value.action.label, '', () => {
          action.disabled = true; // until the answer takes the note away or makes it another one
          context.trigger('act', {key: value.action.key});
        });
      if (value.fold) {
        // one line until somebody wants to read it
        const fold = studio.fold(`note ${value.title}`, h('span', '', value.title), false, h('p', '', value.text));
        return root.replaceChildren(fold);
      }
      root.replaceChildren(
        ...[
          value.title ? h('b', '', value.title) : null,
          value.text ? h('p', '', value.text) : null,
          steps.children.length ? steps : null,
          action,
        ].filter(Boolean),
      );
    });

  studio.status = (context) =>
    studio.mount(context, (value, root) => {
      (context.element.closest('.block') || context.element).classList.toggle('st-gone', !value);
      const states = ['queued', 'running', 'stopping', 'stopped', 'failed', 'done', 'idle'];
      root.className = `st-status panel ${states.includes(value?.state) ? value.state : 'idle'}`;
      if (!value) return root.replaceChildren();
      const stages = h('ol', 'st-stages');
      for (const stage of value.stages || []) {
        const node = h('li', ['done', 'now'].includes(stage.state) ? stage.state : 'next', stage.label);
        if (stage.state === 'now') node.setAttribute('aria-current', 'step');
        stages.append(node);
      }
      const bar = h('div', 'st-bar', null, h('i'));
      const part = value.total ? Math.min(1, value.done / value.total) : null;
      if (part === null) bar.classList.add('unknown');
      else bar.firstChild.style.width = `${(100 * part).toFixed(1)}%`;
      bar.setAttribute('role', 'progressbar');
      const count = value.total
        ? `${value.done.toLocaleString('en')} of ${value.total.toLocaleString('en')} ${value.unit || ''}`
        : '';
      const moving = ['queued', 'running', 'stopping'].includes(value.state);
      root.replaceChildren(
        ...[
          h(
            'div',
            'st-status-top',
            null,
            h('span', 'st-state', value.state),
            h('b', '', value.title || ''),
            h('span', 'st-eta', value.eta || ''),
          ),
          stages.children.length ? stages : null,
          moving ? bar : null,
          h('div', 'st-status-foot', null, h('span', '', value.text || ''), h('span', 'num', moving ? count : '')),
          value.error ? h('pre', 'st-error', value.error) : null,
        ].filter(Boolean),
      );
    });
})();
