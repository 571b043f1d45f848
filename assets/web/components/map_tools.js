// What a hand does on the map: draw around points, zoom, move, click; and the buttons above it.
(() => {
  const {h} = studio;
  const SVG = 'http://www.w3.org/2000/svg';
  const MOVED = 4; // px from which a press is a drag and no click
  const STEP = 1.5; // of one zoom
  const MOST = 200; // times as near as the whole map
  const ICONS = {
    lasso:
      'M3.2 9.5C1.2 6 4 2.6 8.2 2.6S15 5 13.6 8 8 11.8 5.2 10.6M5.2 10.6c-1.4-.6-2.6.4-2 1.4s2.4.8 2.4-.4M4.6 12.4L3.8 14.4',
    box: 'M2.5 3.5h2M6.5 3.5h3M11.5 3.5h2v2M13.5 7v2.5M13.5 11.5v1h-2M9.5 12.5h-3M4.5 12.5h-2v-1M2.5 9.5V7M2.5 5.5v-2',
    hand: 'M8 2v12M2 8h12M8 2L6.3 3.8M8 2l1.7 1.8M8 14l-1.7-1.8M8 14l1.7-1.8M2 8l1.8-1.7M2 8l1.8 1.7M14 8l-1.8-1.7M14 8l-1.8 1.7',
    nearer: 'M8 3.5v9M3.5 8h9',
    farther: 'M3.5 8h9',
    whole: 'M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10',
    names: 'M2.5 4V2.5h11V4M8 2.5v11M6 13.5h4',
  };
  const drawing = (name) => {
    const svg = document.createElementNS(SVG, 'svg');
    const path = document.createElementNS(SVG, 'path');
    svg.setAttribute('viewBox', '0 0 16 16');
    svg.setAttribute('class', 'st-icon');
    svg.setAttribute('aria-hidden', 'true');
    path.setAttribute('d', ICONS[name]);
    svg.append(path);
    return svg;
  };
  const tool = (name, title, act) => {
    const node = studio.button('', null, title, act);
    node.setAttribute('aria-label', title);
    node.dataset.tool = name;
    node.append(drawing(name));
    return node;
  };

  // parts: {stage, bar}; on: what the map does and knows. Returns {dress, outline}.
  studio.mapTools = (parts, on) => {
    const {stage, bar} = parts;
    const svg = document.createElementNS(SVG, 'svg');
    svg.setAttribute('class', 'st-map-outline');
    const outline = document.createElementNS(SVG, 'path');
    svg.append(outline);
    stage.append(svg);

    const select = h('select');
    select.setAttribute('aria-label', 'Colour by');
    const mode = h('label', 'st-map-mode', null, h('span', '', 'Colour by'), select);
    select.addEventListener('change', () => on.mode(select.value));
    const zoom = (factor, px = stage.clientWidth / 2, py = stage.clientHeight / 2) => {
      const [view, all] = [on.view(), on.whole()];
      const [x, y] = on.toData(px, py);
      const width = view.x1 - view.x0;
      const limited = Math.min(Math.max(width / factor, (all.x1 - all.x0) / MOST), all.x1 - all.x0) / width;
      if (limited >= 1 && factor < 1 && width * STEP > all.x1 - all.x0) return on.move(all);
      on.move({
        x0: x + (view.x0 - x) * limited,
        x1: x + (view.x1 - x) * limited,
        y0: y + (view.y0 - y) * limited,
        y1: y + (view.y1 - y) * limited,
      });
    };
    let hand = 'lasso';
    const hands = [
      tool('lasso', 'Draw around samples', () => choose('lasso')),
      tool('box', 'Draw a box around samples', () => choose('box')),
      tool('hand', 'Move the map; the wheel zooms', () => choose('hand')),
    ];
    const choose = (name) => {
      hand = name;
      for (const node of hands) node.setAttribute('aria-pressed', String(node.dataset.tool === name));
      stage.dataset.hand = name;
    };
    choose('lasso');
    const names = tool('names', 'Names on the map', () => {
      const now = names.getAttribute('aria-pressed') !== 'true';
      names.setAttribute('aria-pressed', String(now));
      on.labels(now);
    });
    const spread = h(
      'div',
      'st-map-tools',
      null,
      ...hands,
      h('i'),
      tool('nearer', 'Zoom in (or Ctrl and the wheel)', () => zoom(STEP)),
      tool('farther', 'Zoom out', () => zoom(1 / STEP)),
      tool('whole', 'The whole map', () => on.move(on.whole())),
      h('i'),
      names,
    );
    const room = h('div', 'st-map-room');
    bar.append(mode, room, spread);

    const path = (points, closed) =>
      points.map(([x, y], i) => `${i ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`).join('') + (closed ? 'Z' : '');
    const at = (event) => {
      const box = stage.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };

    let press = null; // where a press began, with what is drawn since
    stage.addEventListener('pointerdown', (event) => {
      if (event.button !== 0 || !on.view() || event.target.closest('.st-map-drawn')) return;
      event.preventDefault(); // no text is marked
      const point = at(event);
      press = {
        start: point,
        points: [point],
        view: on.view(),
        moved: false,
        label: event.target.closest('.st-map-label'),
        hand: event.shiftKey ? 'hand' : hand,
        id: event.pointerId,
      };
      stage.setPointerCapture(event.pointerId);
    });
    stage.addEventListener('pointermove', (event) => {
      const point = at(event);
      if (!press) return on.hover(event.target.closest('.st-map-label, .st-map-drawn') ? null : point[0], point[1]);
      const [dx, dy] = [point[0] - press.start[0], point[1] - press.start[1]];
      if (!press.moved && Math.hypot(dx, dy) < MOVED) return undefined;
      if (!press.moved) on.hover(null);
      press.moved = true;
      if (press.hand === 'hand') {
        const {x0, x1, y0, y1} = press.view;
        const [mx, my] = [(dx / stage.clientWidth) * (x1 - x0), (dy / stage.clientHeight) * (y1 - y0)];
        return on.move({x0: x0 - mx, x1: x1 - mx, y0: y0 + my, y1: y1 + my});
      }
      const last = press.points.at(-1);
      if (press.hand === 'box')
        press.points = [press.start, [point[0], press.start[1]], point, [press.start[0], point[1]]];
      else if (Math.hypot(point[0] - last[0], point[1] - last[1]) >= 2.5) press.points.push(point);
      outline.setAttribute('d', path(press.points, press.hand === 'box'));
      svg.classList.add('drawing');
      return undefined;
    });
    const release = (kept) => {
      const done = press;
      press = null;
      svg.classList.remove('drawing');
      if (!done) return;
      stage.releasePointerCapture?.(done.id);
      if (!kept) return on.show();
      if (!done.moved) return done.label ? done.label.choose() : on.pick(...done.start);
      if (done.hand === 'hand') return undefined;
      if (done.points.length > 2) on.around(done.points.map(([x, y]) => on.toData(x, y)));
      return on.show();
    };
    stage.addEventListener('pointerup', () => release(true));
    stage.addEventListener('pointercancel', () => release(false));
    stage.addEventListener('pointerleave', () => {
      if (!press) on.hover(null);
    });
    stage.addEventListener('dblclick', (event) => {
      if (event.target.closest('.st-map-label, .st-map-drawn')) return;
      if (!parts.drawn.hidden) on.clear();
      else on.move(on.whole());
    });
    document.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || !(stage.matches(':hover') || stage.contains(document.activeElement))) return;
      if (press) release(false);
      else on.clear();
    });
    stage.addEventListener(
      'wheel',
      (event) => {
        if (!on.view() || !(event.ctrlKey || event.metaKey || hand === 'hand')) return;
        event.preventDefault();
        zoom(Math.exp(-Math.max(-60, Math.min(60, event.deltaY)) / 160), ...at(event));
      },
      {passive: false},
    );

    return {
      dress: (value, named, scale) => {
        const modes = value.modes || [];
        mode.hidden = !modes.length;
        if (JSON.stringify(modes) !== select.dataset.modes) {
          select.replaceChildren(...modes.map(({key, label}) => studio.option(key, label)));
          select.dataset.modes = JSON.stringify(modes);
        }
        if (modes.length) select.value = value.mode;
        if (scale.parentElement !== room) room.append(scale);
        names.setAttribute('aria-pressed', String(named));
      },
      outline: (polygon) => {
        if (!press)
          outline.setAttribute(
            'd',
            polygon
              ? path(
                  polygon.map(([x, y]) => on.toPixel(x, y)),
                  true,
                )
              : '',
          );
      },
    };
  };
})();
