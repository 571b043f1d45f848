// A range of a chart's bars: dragged over them, or one bar clicked, in the units of the x axis and from edge to edge.
(() => {
  const {h} = studio;
  const MOVED = 4; // px from which a press is a drag and no click

  // plot: a drawn Plotly chart. now(): its value. Returns {show(range)}, which draws a range or none.
  studio.brush = (plot, trigger, now) => {
    const body = plot.parentElement;
    const band = h(
      'div',
      'st-brush',
      null,
      studio.button('', '✕', 'Remove this range', () => clear()),
    );
    const hint = h('span', 'st-brush-hint', 'drag over bars to filter');
    band.hidden = true;
    body.append(band, hint);
    let shown = null;
    let press = null;

    const active = () => now()?.brushable && plot._fullLayout?.xaxis && !plot.hidden;
    const area = () => ({...plot._fullLayout._size, x: plot._fullLayout.xaxis});
    // All edges of bars, ascending.
    const edges = () => {
      const found = new Set();
      for (const {type, customdata} of now().data) {
        if (type === 'bar' && customdata)
          for (const of of customdata) for (const edge of of.slice(-2)) if (typeof edge === 'number') found.add(edge);
      }
      return [...found].sort((a, b) => a - b);
    };
    // The range of the bars that lie between two places on the screen.
    const range = (from, to) => {
      const all = edges();
      if (all.length < 2) return null;
      const {l, x} = area();
      const [a, b] = [x.p2d(Math.min(from, to) - l), x.p2d(Math.max(from, to) - l)];
      const low = all.findLast((edge) => edge <= a) ?? all[0];
      const high = all.find((edge) => edge >= b && edge > low) ?? all.at(-1);
      return low < high ? {low, high} : null;
    };
    const place = (wanted, drawing) => {
      const visible = Boolean(wanted) && active();
      band.hidden = !visible;
      body.classList.toggle('brushed', visible);
      if (!visible) return;
      const {l, t, w, h: height, x} = area();
      const at = (edge, open) => (typeof edge === 'number' ? Math.max(0, Math.min(w, x.d2p(edge))) : open);
      const [left, right] = [at(wanted.low, 0), at(wanted.high, w)];
      Object.assign(band.style, {
        left: `${l + left}px`,
        width: `${Math.max(right - left, 2)}px`,
        top: `${t}px`,
        height: `${height}px`,
      });
      band.classList.toggle('drawing', Boolean(drawing));
    };
    const clear = () => {
      if (!shown) return;
      shown = null;
      place(null);
      trigger('clear', {});
    };
    const at = (event) => event.clientX - plot.getBoundingClientRect().left;

    body.addEventListener('pointerdown', (event) => {
      if (event.button !== 0 || !active() || band.firstElementChild.contains(event.target)) return;
      const {l, t, w, h: height} = area();
      const box = plot.getBoundingClientRect();
      const [px, py] = [event.clientX - box.left, event.clientY - box.top];
      if (px < l || px > l + w || py < t || py > t + height + 20) return; // a little below the axis is meant, too
      event.preventDefault(); // Plotly gets no press of its own, and no text is marked
      press = {from: px, moved: false};
      body.setPointerCapture(event.pointerId);
    });
    body.addEventListener('pointermove', (event) => {
      if (!press) return;
      press.moved ||= Math.abs(at(event) - press.from) >= MOVED;
      if (press.moved) place(range(press.from, at(event)), true);
    });
    body.addEventListener('pointerup', (event) => {
      if (!press) return;
      const found = range(press.from, press.moved ? at(event) : press.from);
      press = null;
      if (!found) return place(shown);
      if (shown && found.low === shown.low && found.high === shown.high) return place(shown);
      shown = found;
      place(shown);
      trigger('brush', found);
    });
    body.addEventListener('pointercancel', () => {
      press = null;
      place(shown);
    });
    body.addEventListener('dblclick', clear);
    document.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || !active() || !(body.matches(':hover') || body.contains(document.activeElement)))
        return;
      if (press) {
        press = null;
        place(shown);
      } else clear();
    });
    plot.on('plotly_afterplot', () => {
      if (!press) place(shown);
    });
    return {
      show: (wanted) => {
        shown = wanted || null;
        body.classList.toggle('brushable', Boolean(active()));
        if (!press) place(shown);
      },
    };
  };
})();
