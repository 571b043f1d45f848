// What a model makes of a sample: the exact text it reads, and how surprised it is by each token of the response.
(() => {
  const {h} = studio;
  const KINDS = {prompt: 'prompt', response: 'response', mark: 'added by the template', cut: 'cut off, not read'};
  const VIEWS = {
    conditioned: ['With the prompt', 'loss of each token when the model has read the prompt'],
    alone: ['Alone', 'loss of each token when the model sees the response only'],
    helped: ['Difference', 'how much the prompt lowers (or raises) the loss of each token'],
  };
  const MOST = 5; // nats at which the shading is full: a token held for one in 150

  const wait = (words) => {
    const node = h('div', 'st-wait', words);
    node.setAttribute('role', 'status');
    return node;
  };
  const failed = (given, words) => h('div', 'st-failed', null, h('p', '', given.error || words));

  const legend = (kinds) => {
    const list = h('ul', 'st-legend');
    for (const kind of kinds) list.append(h('li', '', null, h('span', `st-key ${kind}`), h('span', '', KINDS[kind])));
    return list;
  };

  const asRead = (given) => {
    const used = Object.keys(KINDS).filter((kind) => given.text.some((part) => part.kind === kind));
    const box = h(
      'div',
      'st-as-read',
      null,
      ...given.text.filter((part) => used.includes(part.kind)).map((part) => h('span', part.kind, part.text)),
    );
    box.tabIndex = 0;
    const counts = [];
    if (given.tokens !== undefined && given.tokens !== null) counts.push(`${studio.count(given.tokens)} tokens`);
    if (given.response_tokens !== undefined && given.response_tokens !== null)
      counts.push(`${studio.count(given.response_tokens)} in the response`);
    if (given.cut_tokens) counts.push(`${studio.count(given.cut_tokens)} cut off at ${studio.count(given.max_length)}`);
    else if (given.max_length) counts.push(`nothing cut at ${studio.count(given.max_length)}`);
    return h(
      'div',
      '',
      null,
      h('p', 'st-hint', [counts.join(', '), given.model].filter(Boolean).join(' · ')),
      ...(given.notes || []).map((note) => h('p', 'st-reading-note', note)),
      legend(used),
      box,
      given.error ? failed(given, '') : null,
    );
  };

  const nats = (x) => (x === null || x === undefined || Number.isNaN(x) ? 'unknown' : x.toFixed(2));

  const shaded = (given, memory) => {
    const box = h('div', 'st-pieces');
    const told = h('div', 'st-told', 'Point at a token to read its losses.');
    const key = h('div', 'st-scale');
    const choice = h('div', 'st-switch');
    choice.setAttribute('role', 'group');
    choice.setAttribute('aria-label', 'which loss colours the text');
    box.tabIndex = 0;
    const spans = given.pieces.map((piece, index) => {
      const node = h('span', '', piece);
      if (/^\s*\n\s*$/.test(piece)) node.classList.add('newline');
      node.dataset.at = index;
      return node;
    });
    box.append(...spans);
    const paint = () => {
      for (const button of choice.children)
        button.setAttribute('aria-pressed', String(button.dataset.view === memory.view));
      key.className = `st-scale ${memory.view}`;
      key.replaceChildren(
        ...(memory.view === 'helped'
          ? [h('span', '', `raises by ${MOST}`), h('i'), h('span', '', `lowers by ${MOST} nats or more`)]
          : [h('span', '', '0'), h('i'), h('span', '', `${MOST} nats or more`)]),
      );
      spans.forEach((span, index) => {
        const [a, b] = [given.conditioned?.[index], given.alone?.[index]];
        // a piece of several tokens (the bytes of one character) is shaded by their mean, so that it is no darker for that
        const count = Math.max(1, given.tokens?.[index] ?? 1);
        const sum =
          memory.view === 'helped'
            ? typeof a === 'number' && typeof b === 'number'
              ? b - a
              : null
            : memory.view === 'alone'
              ? b
              : a;
        const x = typeof sum === 'number' ? sum / count : null;
        span.classList.toggle('unknown', typeof x !== 'number');
        span.classList.toggle('worse', memory.view === 'helped' && x < 0);
        span.classList.toggle('better', memory.view === 'helped' && x >= 0);
        span.style.setProperty(
          '--depth',
          `${typeof x === 'number' ? (75 * Math.min(1, Math.abs(x) / MOST)).toFixed(0) : 0}%`,
        );
      });
    };
    for (const [name, [label, title]] of Object.entries(VIEWS)) {
      const button = studio.button('', label, title, () => {
        memory.view = name;
        paint();
      });
      button.dataset.view = name;
      button.dataset.key = `view ${name}`;
      choice.append(button);
    }
    box.addEventListener('pointerover', (event) => {
      const index = event.target.dataset?.at;
      if (index === undefined) return;
      told.replaceChildren(
        h('code', '', given.pieces[index].replaceAll('\n', '↵')),
        h(
          'span',
          'num',
          `${(given.tokens?.[index] ?? 1) > 1 ? `${given.tokens[index]} tokens: ` : ''}with the prompt ${nats(given.conditioned?.[index])}, alone ${nats(given.alone?.[index])} nats`,
        ),
      );
    });
    paint();
    return h('div', 'st-losses', null, h('div', 'st-losses-top', null, choice, key), box, told);
  };

  // A section whose content is fetched when it is first opened. given : undefined (no such section), null, or the answer.
  const onDemand = (key, title, ask, given, busy, show) => {
    if (given === undefined) return null;
    let inner;
    if (given === null) inner = studio.asker('st-action', 'Show', '', ask, key);
    else if (given.state === 'busy') inner = wait(busy);
    else if (given.state === 'failed')
      inner = h('div', '', null, failed(given, 'This failed.'), studio.asker('st-action', 'Try again', '', ask, key));
    else inner = show(given);
    const node = studio.fold(key, title, false, inner);
    if (given === null)
      node.querySelector('summary').addEventListener('click', () => {
        if (!node.open) inner.click();
      });
    return node;
  };

  studio.readingSections = (value, trigger, memory) => [
    onDemand(
      'reading',
      'Exactly as the model reads it',
      () => trigger('read', {id: value.id}),
      value.reading,
      'The model’s tokenizer is reading the sample …',
      asRead,
    ),
    onDemand(
      'losses',
      'Which tokens surprise the model',
      () => trigger('losses', {id: value.id}),
      value.losses,
      'The model is reading the sample …',
      (given) => shaded(given, memory),
    ),
  ];
})();
