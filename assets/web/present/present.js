// Showing to others: one screen a story over the whole page. Arrows step, Escape leaves, ?present=STORY opens one.
(() => {
  const {h} = studio;

  const figures = (block) =>
    h(
      'div',
      'st-present-figures',
      null,
      ...block.items.map((item) => h('div', '', null, h('b', 'num', item.value), h('span', '', item.label))),
    );

  const bars = (block) => {
    const most = Math.max(...block.items.map((item) => item.share), 1e-9);
    const rows = block.items.map((item) => {
      const bar = h('i');
      bar.style.width = `${(100 * item.share) / most}%`;
      bar.style.background = studio.token(item.colour);
      return h('li', '', null, h('span', 'name', item.label), h('span', 'bar', null, bar), h('b', 'num', item.value));
    });
    return h('section', 'st-present-bars', null, h('h3', '', block.title), h('ul', '', null, ...rows));
  };

  const columns = (block) => {
    const parts = block.items.map((share) => {
      const bar = h('i');
      bar.style.height = `${100 * share}%`;
      return bar;
    });
    const ends = h('p', 'ends num', null, ...block.ends.map((end) => h('span', '', end)));
    const picture = h('div', 'picture', null, ...parts);
    picture.setAttribute('role', 'img');
    picture.setAttribute('aria-label', `${block.title}, from ${block.ends[0]} to ${block.ends[1]}`);
    return h('section', 'st-present-columns', null, h('h3', '', block.title), picture, ends);
  };

  const table = (block) => {
    const row = (cells, kind) => h('tr', '', null, ...cells.map((cell) => h(kind, '', cell)));
    return h(
      'table',
      'st-present-table',
      null,
      h('thead', '', null, row(block.head, 'th')),
      h('tbody', '', null, ...block.rows.map((cells) => row(cells, 'td'))),
    );
  };

  const article = (item) => {
    const parts = ['prompt', 'response', 'why'].map((name) => {
      const node = h('p', name, item[name]);
      node.title = item[name]; // what has no room is cut
      return node;
    });
    return h('article', '', null, ...parts);
  };
  const samples = (block) => {
    const side = block.tone === 'in' ? 'in' : 'out';
    return h('section', `st-present-samples ${side}`, null, h('h3', '', block.title), ...block.items.map(article));
  };

  const lines = (block) => h('div', 'st-present-lines', null, ...block.items.map((item) => h('p', '', item)));

  // A line through a few points, each with its value; the axis is what the values span.
  const course = (block) => {
    const node = h('section', 'st-present-course', null, h('h3', '', block.title));
    if (!block.points.length) return h('section', '', null, h('p', '', 'The error was not measured.'));
    const svgNode = (tag, attributes, text) => {
      const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
      for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
      if (text) made.textContent = text;
      return made;
    };
    const [W, H, left, top, bottom] = [1000, 300, 70, 56, 58];
    const values = block.points.map((point) => point[1]);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const last = Math.max(block.labels.length - 1, 1);
    const x = (at) => left + ((W - 2 * left) * at) / last;
    const y = (value) => (high > low ? top + ((H - top - bottom) * (high - value)) / (high - low) : H / 2);
    const svg = svgNode('svg', {viewBox: `0 0 ${W} ${H}`, role: 'img', 'aria-label': block.title});
    svg.append(svgNode('polyline', {points: block.points.map(([at, value]) => `${x(at)},${y(value)}`).join(' ')}));
    for (const [at, value, words] of block.points) {
      svg.append(svgNode('circle', {cx: x(at), cy: y(value), r: 8}));
      svg.append(svgNode('text', {x: x(at), y: y(value) - 20, class: 'value'}, words));
    }
    block.labels.forEach((label, at) => svg.append(svgNode('text', {x: x(at), y: H - 12}, label)));
    node.append(svg);
    return node;
  };

  const KINDS = {figures, bars, columns, table, samples, lines, course};

  const missing = (value) => {
    const steps = h('ol');
    for (const step of value.steps) steps.append(h('li', '', step));
    return h('div', 'st-present-missing', null, h('p', '', value.text), steps.children.length ? steps : null);
  };

  const REPORT = 'All stories with their pictures in one file, which opens without a network and prints';

  // A button for the report of what is presented, on a screen.
  studio.reporter = (context) =>
    studio.mount(context, (value, root) => {
      if (root.firstChild) return;
      const button = studio.button('st-action st-report', 'Report', REPORT, () => studio.report(button));
      root.append(button);
    });

  studio.present = (context) => {
    let stories = null;
    let key = ''; // of the story that is shown
    let dialog = null;

    const address = (name) => {
      const url = new URL(location.href);
      if (name) url.searchParams.set('present', name);
      else url.searchParams.delete('present');
      if (url.href !== location.href) history.replaceState(history.state, '', url);
    };

    const draw = () => {
      if (!dialog) return;
      const body = dialog.querySelector('.st-present-body');
      if (!stories) return body.replaceChildren(h('p', 'st-present-lead', 'Putting the stories together…'));
      const at = Math.max(
        stories.findIndex((story) => story.key === key),
        0,
      );
      const story = stories[at];
      key = story.key;
      const title = h('h2', '', story.title);
      title.id = 'st-present-title';
      dialog.dataset.story = story.key;
      dialog.querySelector('.st-present-place').textContent = `${at + 1} of ${stories.length}`;
      body.className = `st-present-body ${story.blocks.map((block) => block.kind).join(' ')}`;
      body.replaceChildren(
        title,
        ...[
          story.lead ? h('p', 'st-present-lead', story.lead) : null,
          ...story.blocks.map((block) => KINDS[block.kind](block)),
          story.missing ? missing(story.missing) : null,
        ].filter(Boolean),
      );
      dialog.scrollTop = 0;
      address(key);
    };

    const step = (by) => {
      if (!stories) return;
      const at = stories.findIndex((story) => story.key === key);
      key = stories[Math.min(Math.max(at + by, 0), stories.length - 1)].key;
      draw();
    };

    const open = (name) => {
      if (dialog) return;
      key = name;
      dialog = h('dialog', 'st-present-view', null, h('div', 'st-present-body'), h('p', 'st-present-foot'));
      dialog.setAttribute('aria-labelledby', 'st-present-title');
      const report = studio.button('st-action st-report', 'Report', REPORT, () => studio.report(report));
      dialog.lastChild.append(
        h('span', 'st-present-place num'),
        h('span', '', '← → step through the stories · Esc leaves'),
        report,
      );
      dialog.tabIndex = -1;
      dialog.addEventListener('keydown', (event) => {
        if (event.ctrlKey || event.metaKey || event.altKey) return;
        if (event.key === ' ' && event.target.closest('button')) return;
        const by = {ArrowRight: 1, PageDown: 1, ' ': 1, ArrowLeft: -1, PageUp: -1, Home: -99, End: 99}[event.key];
        if (!by) return;
        event.preventDefault();
        event.stopPropagation();
        step(by);
      });
      // without a keyboard: the left third goes back
      dialog.addEventListener('click', (event) => {
        if (!getSelection().isCollapsed || event.target.closest('button')) return;
        step(event.clientX < innerWidth / 3 ? -1 : 1);
      });
      dialog.addEventListener('close', () => {
        dialog.remove();
        dialog = null;
        address('');
      });
      document.body.append(dialog);
      dialog.showModal();
      dialog.focus();
      draw();
      studio.onceRead(() => context.trigger('apply', {}));
    };
    studio.openPresent = () => open(key);

    // The server writes the report and the page downloads it; the button that asked says so meanwhile.
    studio.report = (button) => {
      if (button.disabled) return;
      button.disabled = true;
      button.textContent = 'Preparing…';
      button.classList.add('busy');
      context.trigger('export', {});
    };
    addEventListener('studio-exported', () => {
      for (const button of document.querySelectorAll('.st-report.busy')) {
        button.classList.remove('busy');
        button.disabled = false;
        button.textContent = 'Report';
      }
    });

    studio.mount(context, (value) => {
      if (value) stories = value.stories;
      draw();
    });

    // On screens where p pins a sample, Shift and p present; elsewhere p alone does, too.
    const press = (event, shifted) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
      if (event.key.toLowerCase() !== 'p' || event.shiftKey !== shifted || event.repeat) return;
      if (studio.writes(event.target) || document.querySelector('dialog[open]')) return;
      event.preventDefault();
      open(key);
    };
    addEventListener('keydown', (event) => press(event, true), true); // before p would pin
    addEventListener('keydown', (event) => press(event, false)); // what pins has taken its p by then
    const asked = new URL(location.href).searchParams.get('present');
    if (asked !== null) open(asked);
  };
})();
