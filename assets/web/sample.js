// One sample in full. Everything a data set brings goes through textContent.
(() => {
  const {h} = studio;
  const ACTIONS = {
    pin: ['Pin', 'always in the selection, first'],
    exclude: ['Exclude', 'never in the selection'],
    unmark: ['Unmark', 'leave it to the method again'],
    undo: ['Undo', 'take back the last pin or exclude'],
  };
  const ROLES = {user: 'User', assistant: 'Assistant', system: 'System', tool: 'Tool'};

  const bubble = (role, text, tag) => {
    const known = Object.hasOwn(ROLES, role);
    const who = h('div', 'st-who', null, h('span', '', known ? ROLES[role] : role), tag ? h('em', '', tag) : null);
    return h('div', `st-turn role-${known ? role : 'other'}`, null, who, h('div', 'st-text', text === '' ? '(empty)' : text));
  };

  const terms = (list) => {
    const most = Math.max(...list.map((item) => item.part), 1e-9);
    const box = h('ul', 'st-terms');
    for (const item of list) {
      const bar = h('i');
      bar.style.width = `${Math.round((100 * item.part) / most)}%`;
      box.append(h('li', '', null, h('span', 'st-term', item.term), h('span', 'st-term-bar', null, bar), h('span', 'num', item.part.toFixed(3))));
    }
    return box;
  };

  studio.sample = (context) => studio.mount(context, (value, root) => {
    root.className = 'st-sample panel';
    if (!value || value.empty) return root.replaceChildren(h('div', 'st-empty', value?.empty || ''));
    const actions = h('div', 'st-actions');
    for (const name of value.actions || []) {
      if (Object.hasOwn(ACTIONS, name)) {
        actions.append(studio.button(`st-action ${name}`, ACTIONS[name][0], ACTIONS[name][1], () => context.trigger(name, {id: value.id})));
      }
    }
    const badges = (value.badges || []).map((badge) => h('span', `st-badge ${studio.tone(badge.tone)}`, badge.label));
    const facts = h('dl', 'st-facts');
    for (const fact of value.facts || []) {
      const node = h('div', '', null, h('dt', '', fact.label), h('dd', 'num', fact.value));
      if (fact.hint) node.title = fact.hint;
      facts.append(node);
    }
    const why = (value.why || []).map((sentence) => h('p', '', sentence));
    const talk = h('div', 'st-talk', null, ...(value.turns || []).map((turn) => bubble(turn.role, turn.content)),
      bubble('assistant', value.response, 'the response that is scored'));
    root.replaceChildren(...[
      h('div', 'st-sample-head', null, h('h3', '', value.title), ...badges),
      actions.children.length ? actions : null,
      why.length ? h('div', 'st-why', null, ...why) : null,
      talk,
      value.terms?.length ? h('div', 'st-why-terms', null, h('h4', '', value.terms_title || 'What it added to diversity'), terms(value.terms)) : null,
      facts.children.length ? facts : null].filter(Boolean));
    root.scrollTop = 0;
  });
})();
