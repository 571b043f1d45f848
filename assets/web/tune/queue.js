// Runs that wait, in their order, with what can be done to each; and what can be done with the run that is shown.
(() => {
  const {h} = studio;
  const TWICE = 1000; // ms within which a second click on the same button is none

  studio.turns = (context) => {
    const held = new Set(); // what a double click would do twice
    const act = (action, id) => {
      const key = `${action} ${id}`;
      if (held.has(key)) return;
      if (['cancel', 'again'].includes(action)) {
        held.add(key);
        setTimeout(() => held.delete(key), TWICE);
      }
      context.trigger('act', {action, id});
    };
    const button = (action, id, label, title, off = false) => {
      const node = studio.button('st-turn-act changes', label, title, () => act(action, id));
      node.disabled = off;
      node.dataset.action = action;
      node.dataset.key = `turn ${action} ${id}`;
      return node;
    };
    const row = (given, i, all) => {
      const {id, name} = given;
      const pick = studio.button('st-turn-name', name, `Show ${name} below`, () => context.trigger('pick', {id}));
      pick.dataset.key = `turn pick ${id}`;
      const named = (node, what) => {
        node.setAttribute('aria-label', what);
        return node;
      };
      const node = h(
        'li',
        given.chosen ? 'chosen' : '',
        null,
        h('b', 'num', studio.count(i + 1)),
        h('div', '', null, pick, h('span', '', given.about || '')),
        h(
          'div',
          'st-turn-acts',
          null,
          named(
            button('front', id, 'To the front', 'Let it start before all others that wait', i === 0),
            `Move ${name} to the front`,
          ),
          named(button('up', id, '↑', 'One place earlier', i === 0), `Move ${name} one place earlier`),
          named(button('down', id, '↓', 'One place later', i === all.length - 1), `Move ${name} one place later`),
          named(
            button('cancel', id, 'Cancel', 'Take it out of the queue. “Resume” queues it again.'),
            `Cancel ${name}`,
          ),
        ),
      );
      node.dataset.id = id;
      return node;
    };
    const chosen = ({id, name, actions}) =>
      h(
        'div',
        'st-turn-chosen',
        null,
        h('p', '', null, h('span', '', 'Shown below: '), h('b', '', name)),
        h('div', 'st-turn-acts', null, ...actions.map((action) => button(action.key, id, action.label, action.hint))),
      );

    let drawn = '';
    studio.mount(context, (value, root) =>
      studio.keepFocus(root, () => {
        const text = JSON.stringify(value);
        if (text === drawn) return; // a button must not be exchanged under a click
        drawn = text;
        (context.element.closest('.block') || context.element).classList.toggle('st-gone', !value);
        root.className = `st-turns panel${value?.rows?.length ? ' some' : ''}`;
        if (!value) return root.replaceChildren();
        root.replaceChildren(
          ...[
            value.title ? h('h3', '', value.title) : null,
            value.text ? h('p', 'st-turn-text', value.text) : null,
            value.held ? h('p', 'st-turn-held', value.held) : null,
            value.rows?.length ? h('ol', '', null, ...value.rows.map(row)) : null,
            value.chosen ? chosen(value.chosen) : null,
          ].filter(Boolean),
        );
      }),
    );
  };
})();
