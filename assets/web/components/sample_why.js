// Why a sample was picked or not: the n-grams that earned it, who had covered them before, its scores, its neighbours.
(() => {
  const {h} = studio;

  const filled = (className, share) => {
    const bar = h('i');
    bar.style.width = `${(100 * Math.max(0, Math.min(1, share))).toFixed(1)}%`;
    return h('span', className, null, bar);
  };

  const opener = (className, label, title, id, trigger) => {
    const node = studio.button(className, label, title, () => trigger('open', {id}));
    node.dataset.key = `${className} ${id} ${label ?? ''}`;
    return node;
  };

  const terms = (list) => {
    const most = Math.max(...list.map((item) => item.part), 1e-9);
    const box = h('ul', 'st-terms');
    for (const item of list) {
      const term = h('span', 'st-term', item.term);
      term.title = item.term;
      box.append(
        h('li', '', null, term, filled('st-term-bar', item.part / most), h('span', 'num', item.part.toFixed(3))),
      );
    }
    return box;
  };

  // What a pick has left of each n-gram, and that pick.
  const covered = (list, trigger) => {
    const box = h('ul', `st-terms covered${list.some((item) => item.epoch != null) ? ' earlier' : ''}`);
    const most = Math.max(...list.map((item) => item.part), 1e-9);
    for (const item of list) {
      const bar = h('span', 'st-term-bar');
      const whole = h('i', 'was');
      const left = h('i', 'left');
      whole.style.width = `${((100 * item.part) / most).toFixed(1)}%`;
      left.style.width = `${((100 * item.part * item.left) / most).toFixed(1)}%`;
      bar.append(whole, left);
      bar.title = `adds ${item.part.toFixed(3)} on its own, ${(item.part * item.left).toFixed(3)} after the picks that hold it`;
      const term = h('span', 'st-term', item.term);
      term.title = item.term;
      const when = item.epoch == null ? '' : `epoch ${item.epoch}, `;
      const who = item.id
        ? opener(
            'st-link',
            `${when}pick ${studio.count(item.pick)}`,
            'open the sample that took it first',
            item.id,
            trigger,
          )
        : h('span', '', 'no pick');
      box.append(h('li', '', null, term, bar, h('span', 'num', `${Math.round(100 * item.left)} % left`), who));
    }
    return box;
  };

  studio.whyHeadline = (value) => {
    const lines = (value.why || []).map((sentence) => h('p', '', sentence));
    return lines.length ? h('div', 'st-why', null, ...lines) : null;
  };

  const reach = (value, trigger) => {
    if (value.reach === undefined) return null;
    if (value.reach === null)
      return studio.asker(
        'st-action',
        'What would it take to be picked?',
        'tries budgets and weights',
        () => trigger('reach', {id: value.id}),
        'reach',
      );
    const list = h('dl', 'st-reach');
    for (const row of value.reach) {
      const node = h(
        'div',
        '',
        null,
        h('dt', '', row.label),
        h('dd', 'num', row.value),
        row.hint ? h('p', 'st-hint', row.hint) : null,
      );
      list.append(node);
    }
    return h('div', '', null, h('h4', '', 'It would be picked'), list);
  };

  // A score with the sample's place in the pool, and the plain facts.
  const scores = (list) => {
    const box = h('dl', 'st-scores');
    for (const fact of list) {
      const mark = h('i');
      mark.style.left = `${(100 * Math.max(0, Math.min(1, fact.bar))).toFixed(1)}%`;
      const node = h(
        'div',
        '',
        null,
        h('dt', '', fact.label),
        h('dd', 'num', fact.value),
        h('span', 'st-place', null, mark),
        h('span', 'st-words', fact.words || ''),
      );
      node.title = fact.hint || '';
      box.append(node);
    }
    return box;
  };

  const facts = (list) => {
    const box = h('dl', 'st-facts');
    for (const fact of list) {
      const node = h('div', '', null, h('dt', '', fact.label), h('dd', 'num', fact.value));
      node.title = fact.hint || String(fact.value ?? '');
      box.append(node);
    }
    return box;
  };

  const neighbours = (list, trigger) => {
    if (!list.length) return h('p', 'st-hint', 'No response in the pool shares a frequent word with this one.');
    const box = h('ul', 'st-alike');
    for (const item of list) {
      const node = opener('st-alike-one', null, 'open this sample', item.id, trigger);
      node.append(
        h(
          'span',
          'st-alike-top',
          null,
          h('b', '', item.label),
          filled('st-alike-bar', item.share),
          h('span', 'num', `${Math.round(100 * item.share)} %`),
        ),
        h('span', 'st-alike-text', item.text),
      );
      box.append(h('li', '', null, node));
    }
    return box;
  };

  const history = (list) => {
    const head = h(
      'tr',
      '',
      null,
      h('th', '', 'Epoch'),
      h('th', '', 'Status'),
      h('th', 'right', 'Pick'),
      h('th', 'right', 'Complexity'),
    );
    const body = h(
      'tbody',
      '',
      null,
      ...list.map((item) =>
        h(
          'tr',
          '',
          null,
          h('td', 'num', item.epoch),
          h('td', '', null, h('span', `st-badge ${studio.tone(item.tone)}`, item.status)),
          h('td', 'right num', item.rank ?? '–'),
          h('td', 'right num', item.complexity ?? '–'),
        ),
      ),
    );
    return h('table', 'st-history', null, h('thead', '', null, head), body);
  };

  // The folding sections between the conversation and what a model makes of it.
  studio.whySections = (value, trigger) => {
    const all = value.facts || [];
    const placed = all.filter((fact) => typeof fact.bar === 'number');
    const plain = all.filter((fact) => typeof fact.bar !== 'number');
    const asked = reach(value, trigger);
    const why = [];
    if (value.terms?.length)
      why.push(
        h(
          'div',
          'st-why-terms',
          null,
          h('h4', '', value.terms_title || 'What it added to diversity'),
          terms(value.terms),
        ),
      );
    if (value.covered?.length)
      why.push(
        h(
          'div',
          '',
          null,
          h('h4', '', value.covered_title || 'Its phrases, and which picks had them before'),
          covered(value.covered, trigger),
        ),
      );
    if (asked) why.push(asked);
    return [
      why.length ? studio.fold('why', 'Why', true, ...why) : null,
      placed.length ? studio.fold('scores', 'Scores and their place in the pool', true, scores(placed)) : null,
      value.neighbours ? studio.fold('near', 'Most alike', false, neighbours(value.neighbours, trigger)) : null,
      value.history?.length ? studio.fold('history', 'Over the epochs', false, history(value.history)) : null,
      plain.length ? (placed.length ? studio.fold('facts', 'Facts', true, facts(plain)) : facts(plain)) : null,
    ];
  };

  // A button for what is worked out on demand: it says that it works until the answer is drawn.
  studio.asker = (className, label, title, ask, key) => {
    const node = studio.button(className, label, title, () => {
      node.disabled = true;
      node.textContent = 'Working it out …';
      setTimeout(() => {
        node.disabled = false;
        node.textContent = label;
      }, 20000);
      ask();
    });
    node.dataset.key = key;
    return node;
  };
})();
