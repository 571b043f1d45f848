// Who came, stayed, went and came back: a column per epoch, a band for all that did the same between two of them.
// Heights are samples, the same scale everywhere. Columns and bands are buttons that open their samples.
(() => {
  const {h} = studio;
  const SVG = 'http://www.w3.org/2000/svg';
  const [TOP, BOTTOM, APART, BAR] = [58, 8, 16, 13]; // px: room for headings, below, between selected and gone, a column's width
  const LEAST = 2; // px, so that one sample among thousands is seen
  const AT = {kept: 0.5, new: 0.72, back: 0.62, dropped: 0.34, away: 0.5}; // where on its way a band has its number

  const node = (tag, attributes, ...children) => {
    const made = document.createElementNS(SVG, tag);
    for (const [name, item] of Object.entries(attributes)) made.setAttribute(name, item);
    made.append(...children);
    return made;
  };
  const curve = (x0, a0, a1, x1, b0, b1) => {
    const m = (x0 + x1) / 2;
    return `M${x0} ${a0}C${m} ${a0} ${m} ${b0} ${x1} ${b0}L${x1} ${b1}C${m} ${b1} ${m} ${a1} ${x0} ${a1}Z`;
  };
  // a place on the middle line of such a band, t from 0 to 1
  const along = (x0, a, x1, b, t) => {
    const s = 1 - t;
    const m = (x0 + x1) / 2;
    return [s ** 3 * x0 + 3 * s * t * m + t ** 3 * x1, (s ** 3 + 3 * s * s * t) * a + (3 * s * t * t + t ** 3) * b];
  };

  studio.alluvial = (context) => {
    let value = null;
    let stage = null;

    const press = (shape, key, words) => {
      shape.setAttribute('tabindex', '0');
      shape.setAttribute('role', 'button');
      shape.setAttribute('aria-label', words);
      shape.setAttribute('aria-pressed', String(value.on === key));
      shape.dataset.key = key;
      shape.append(node('title', {}, words));
      const act = () => context.trigger('pick', {key});
      shape.addEventListener('click', act);
      shape.addEventListener('keydown', (event) => {
        if (event.key !== 'Enter' && event.key !== ' ') return;
        event.preventDefault();
        act();
      });
      return shape;
    };

    const paint = () => {
      const width = stage.clientWidth;
      const height = stage.clientHeight;
      if (!width || !value?.columns) return; // in a tab that is not open
      const {columns, bands} = value;
      const most = Math.max(...columns.map((column) => column.selected + column.gone), 1);
      if (height < TOP + BOTTOM + APART + 20) return; // folded to next to nothing
      const scale = (height - TOP - BOTTOM - APART) / most;
      const thick = (count) => count * scale;
      const across = columns.length > 1 ? (width - 176) / (columns.length - 1) : 0;
      const left = columns.length > 1 ? 54 : width / 2 - BAR;
      const place = new Map(
        columns.map((column, i) => [
          column.epoch,
          {...column, x: left + i * across, y: TOP, split: TOP + thick(column.selected) + APART},
        ]),
      );
      const svg = node('svg', {
        width,
        height,
        viewBox: `0 0 ${width} ${height}`,
        role: 'group',
        'aria-label': value.title || '',
      });
      const [shapes, words] = [node('g', {}), node('g', {class: 'st-flow-words'})];
      const label = (x, y, text, kind = '') =>
        words.append(node('text', {x, y, class: kind, 'text-anchor': 'middle', 'dominant-baseline': 'central'}, text));

      for (const band of bands) {
        const [from, to] = [place.get(band.start), place.get(band.end)];
        // the order in which bands leave and reach a column, from the top, so that as few as can be cross
        const over = (kinds) =>
          thick(
            bands
              .filter((other) => other.start === band.start && kinds.includes(other.kind))
              .reduce((sum, other) => sum + other.count, 0),
          );
        const tall = thick(band.count);
        const start = {
          kept: from.y,
          dropped: from.y + over(['kept']),
          back: from.split,
          away: from.split + over(['back']),
        }[band.kind];
        const end = {
          new: to.y,
          kept: to.y + over(['new']),
          back: to.y + over(['new', 'kept']),
          dropped: to.split,
          away: to.split + over(['dropped']),
        }[band.kind];
        const [x0, x1] = [from.x + BAR, to.x];
        let [begin, top] = [x0, start];
        if (band.kind === 'new') {
          begin = x0 + (x1 - x0) * 0.45;
          top = TOP - 26 - Math.min(tall, 12) / 2;
        }
        const thin = Math.max(tall, LEAST);
        const source = band.kind === 'new' ? Math.min(Math.max(tall * 0.6, LEAST), 12) : thin;
        const shape = press(
          node('path', {
            d: curve(begin, top, top + source, x1, end, end + thin),
            class: `st-band ${band.kind}${value.on && value.on !== band.key ? ' off' : ''}${value.on === band.key ? ' on' : ''}`,
          }),
          band.key,
          band.words,
        );
        shapes.append(shape);
        const [x, y] = along(begin, top + source / 2, x1, end + thin / 2, AT[band.kind]);
        if (across > 56 || band.kind === 'kept' || value.on === band.key) label(x, y, studio.count(band.count));
      }
      for (const column of place.values()) {
        const bar = (side, y, count) => {
          if (!count) return;
          const {key, words: said} = column.keys[side];
          shapes.append(
            press(
              node('rect', {
                x: column.x,
                y,
                width: BAR,
                height: Math.max(thick(count), LEAST),
                rx: 2,
                class: `st-column ${side}${value.on === key ? ' on' : ''}${value.on && value.on !== key ? ' off' : ''}`,
              }),
              key,
              said,
            ),
          );
        };
        bar('selected', column.y, column.selected);
        bar('gone', column.split, column.gone);
        const heading = node(
          'g',
          {
            class: `st-flow-head${column.epoch === value.epoch ? ' now' : ''}`,
            tabindex: '0',
            role: 'button',
            'aria-label': `show epoch ${column.epoch}`,
          },
          node(
            'text',
            {x: column.x + BAR / 2, y: 13, 'text-anchor': 'middle'},
            across && across < 70 ? `${column.epoch}` : `Epoch ${column.epoch}`,
          ),
          node('title', {}, `show epoch ${column.epoch}`),
        );
        const go = () => context.trigger('epoch', {epoch: column.epoch});
        heading.addEventListener('click', go);
        heading.addEventListener('keydown', (event) => {
          if (event.key === 'Enter') go();
        });
        words.append(heading);
      }
      const first = place.get(columns[0].epoch);
      label(first.x - 27, first.y + thick(first.selected) / 2, studio.count(first.selected), 'beside');
      const end = place.get(columns.at(-1).epoch);
      if (columns.length > 1) {
        for (const [count, y, text] of [
          [end.selected, end.y, 'selected'],
          [end.gone, end.split, 'let go'],
        ]) {
          if (!count) continue;
          words.append(
            node(
              'text',
              {x: end.x + BAR + 8, y: y + thick(count) / 2, class: 'end', 'dominant-baseline': 'central'},
              `${studio.count(count)} ${text}`,
            ),
          );
        }
      }
      svg.append(shapes, words);
      studio.keepFocus(stage, () => stage.replaceChildren(svg));
    };

    studio.mount(context, (given, root) => {
      value = given;
      stage = root.querySelector('.st-flow');
      studio.head(root, value || {});
      if (!root.dataset.wired) {
        root.dataset.wired = '1';
        let size = '';
        new ResizeObserver(() => {
          const now = `${stage.clientWidth} ${stage.clientHeight}`;
          if (now === size) return;
          size = now;
          paint();
        }).observe(stage);
      }
      const empty = !value?.columns?.length;
      stage.replaceChildren(...(empty ? [h('div', 'st-empty', value?.empty || '')] : []));
      if (!empty) paint();
    });
  };
})();
