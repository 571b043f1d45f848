// Try before you launch: what a pilot of the run in the form would cost, and what the newest one says.
(() => {
  const {h} = studio;
  const PAUSE = 250; // ms without a change after which the server is asked
  const STORE = 'studio-tune-pilot';

  // What was asked for before a reload of this browser tab.
  const remembered = (fields) => {
    const values = Object.fromEntries(fields.map(({name, value}) => [name, value]));
    try {
      const kept = JSON.parse(sessionStorage.getItem(STORE) || '{}');
      for (const name of Object.keys(values)) if (typeof kept[name] === 'string') values[name] = kept[name];
    } catch {
      return values;
    }
    return values;
  };

  const table = (columns, rows) =>
    h(
      'table',
      'st-pilot-table',
      null,
      h('thead', '', null, h('tr', '', null, ...columns.map((name) => h('th', '', name)))),
      h(
        'tbody',
        '',
        null,
        ...rows.map(({cells, chosen}) =>
          h('tr', chosen ? 'chosen' : '', null, ...cells.map((cell, at) => h('td', at ? 'num' : '', cell))),
        ),
      ),
    );

  // panel : see tune/pilot_panel.panel. ask({pilot, open}) -> see tune/pilot_panel.answer; queue(pilot), use(strategy),
  // compare(id): what its buttons do.
  studio.tunePilot = (panel, {ask, queue, use, compare}) => {
    const values = remembered(panel.fields);
    const short = h('em', 'st-changed');
    const plan = h('div', 'st-pilot-plan');
    const told = h('div');
    const newest = h('div', 'st-pilot-newest');
    plan.id = 'tune-pilot-plan';
    told.id = 'tune-pilot-message';
    newest.id = 'tune-pilot-newest';
    let said = {plan: null, newest: null};
    let around = {ready: false, strategy: ''};
    let sent = false; // until it is answered
    let asked = 0;
    let timer = 0;
    let drawn = '';

    const later = () => {
      asked += 1; // what is under way is no longer about this panel
      said = {...said, plan: said.plan && {...said.plan, ready: false}};
      draw();
      clearTimeout(timer);
      timer = setTimeout(look, PAUSE);
    };
    const change = (name, value) => {
      values[name] = value;
      sessionStorage.setItem(STORE, JSON.stringify(values));
      told.replaceChildren();
      later();
    };
    const fields = new Map(
      panel.fields.map((field) => {
        const back = (name) => change(name, field.default);
        const made = studio.field(
          {...field, value: values[field.name]},
          {on: change, back, id: `tune-pilot-${field.name}`},
        );
        return [field.name, made];
      }),
    );
    const start = studio.button('st-action', 'Queue the pilot', '', () => {
      if (start.disabled) return;
      sent = true;
      draw();
      queue({...values});
    });
    start.id = 'tune-pilot-queue';
    const node = studio.fold(
      'tune pilot',
      h('span', '', panel.title, short),
      false,
      h('p', 'st-pilot-help', panel.help),
      ...[...fields.values()].map((field) => field.node),
      plan,
      start,
      told,
      newest,
    );
    node.id = 'tune-pilot';
    node.classList.add('changes');
    node.addEventListener('toggle', () => node.open && look());

    const result = (given) => {
      const bar = h('div', 'st-bar', null, h('i'));
      bar.firstChild.style.width = `${(100 * given.done) / Math.max(1, given.total)}%`;
      const same = given.use?.strategy === around.strategy;
      const take = given.use
        ? studio.button('st-action', 'Use this strategy', `put ${given.use.label} into the form; nothing starts`, () =>
            use(given.use.strategy),
          )
        : null;
      if (take) {
        take.disabled = same;
        if (same) take.textContent = 'The form has this strategy';
        take.dataset.key = 'pilot use';
      }
      const see = studio.button('st-action', 'See it on Compare', 'its runs side by side, in full', () =>
        compare(given.id),
      );
      see.dataset.key = 'pilot compare';
      const why = h('details', 'st-pilot-rule', null, h('summary', '', 'How this is decided'), h('p', '', panel.rule));
      why.open = newest.querySelector('details')?.open || false;
      return [
        h('p', 'st-pilot-help', given.head),
        given.progress ? h('p', '', given.progress) : null,
        given.open ? bar : null,
        given.words ? h('p', 'st-pilot-words', given.words) : null,
        table(given.columns, given.rows),
        ...given.notes.map((line) => h('p', 'st-pilot-help', line)),
        h('div', 'st-buttons', null, take, see),
        why,
      ].filter(Boolean);
    };
    const draw = () => {
      const now = said.plan;
      start.disabled = sent || !now?.ready || !around.ready;
      start.textContent = now?.button || 'Queue the pilot';
      start.title = !now?.ready || around.ready ? '' : 'first mend what is said above';
      const text = JSON.stringify([now?.tone, now?.lines, said.newest, around.strategy]);
      if (text === drawn) return; // a button must not be exchanged under a click
      drawn = text;
      plan.replaceChildren(
        ...(now
          ? [
              h(
                'div',
                `st-note ${now.tone === 'error' ? 'error' : 'info'}`,
                null,
                ...now.lines.map((line) => h('p', '', line)),
              ),
            ]
          : []),
      );
      short.textContent = said.newest?.short || '';
      studio.keepFocus(newest, () => newest.replaceChildren(...(said.newest ? result(said.newest) : [])));
      newest.hidden = !said.newest;
    };
    const look = async () => {
      clearTimeout(timer);
      const mine = ++asked;
      const answer = await ask({pilot: {...values}, open: node.open});
      if (mine !== asked) return;
      said = {plan: answer?.plan || null, newest: answer && 'newest' in answer ? answer.newest : said.newest};
      draw();
    };
    studio.hear('pilot', look);
    newest.hidden = true;
    return {
      node,
      ask: look,
      // ready: whether the form may be launched; strategy: the one in it
      show(next) {
        around = next;
        draw();
      },
      say({tone, title, lines}) {
        sent = false;
        told.replaceChildren(
          h('div', `st-note ${tone}`, null, h('b', '', title), ...lines.map((line) => h('p', '', line))),
        );
        draw();
      },
    };
  };
})();
