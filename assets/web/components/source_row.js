// One source among the settings: its weight as slider and field, and the least and most of the selection that it may be.
(() => {
  const {h} = studio;
  const NONE = [0, 100]; // percent, which bound nothing

  // item: {name, colour, count, weight, least, most, message}; send(key, data): the event `weigh`; count(): something changed.
  studio.sourceRow = (item, index, {send, count}) => {
    const keys = {weight: `weigh ${index}`, share: `share ${index}`};
    let {weight, least, most} = item;
    let busy = false;
    let theirs = item.message || ''; // what the server has to say about the bounds
    const message = h('p', 'st-field-message');
    message.setAttribute('role', 'status');
    const dot = h('i', 'st-dot');
    dot.style.background = studio.token(item.colour);
    const name = h('span', 'st-source-name', null, h('span', '', item.name), h('small', 'num', item.count));
    name.title = item.name;
    const lows = [...NONE];
    const highs = [...NONE];
    const show = () => {
      const calm = (input) => !busy || input !== document.activeElement;
      lows[1] = most;
      highs[0] = least;
      if (calm(number.input)) number.set(weight);
      if (calm(slider.input)) slider.set(weight);
      if (calm(low.input)) low.set(least);
      if (calm(high.input)) high.set(most);
      row.classList.toggle('off', weight === 0);
      bounds.classList.toggle('unbounded', !bounded());
    };
    const choose = (x) => {
      weight = x;
      show();
      send(keys.weight, {index, weight: x});
      count();
    };
    const bound = (from, to) => {
      [least, most] = [from, to];
      show();
      send(keys.share, {index, least, most});
      count();
    };
    const held = (on) => {
      busy = on;
      if (!on) show();
    };
    const say = (text) => {
      message.textContent = text;
      message.hidden = !text;
    };
    const bounded = () => least !== NONE[0] || most !== NONE[1];
    const label = `weight of ${item.name}`;
    const slider = studio.slider({min: 0, max: 3, step: 0.1, label, mark: 1, held, on: choose});
    const number = studio.numberField({
      min: 0,
      max: 3,
      step: 0.1,
      label,
      fallback: (empty) => (empty ? 1 : weight),
      say,
      held,
      on: choose,
    });
    const share = (words, allowed, fallback, on) =>
      studio.numberField({
        min: NONE[0],
        max: NONE[1],
        allowed,
        step: 1,
        unit: '%',
        label: `${words} of the selection from ${item.name}, percent`,
        fallback,
        say,
        held,
        on,
      });
    const low = share(
      'at least',
      lows,
      (empty) => (empty ? NONE[0] : least),
      (x) => bound(x, most),
    );
    const high = share(
      'at most',
      highs,
      (empty) => (empty ? NONE[1] : most),
      (x) => bound(least, x),
    );
    const bounds = h(
      'div',
      'st-source-share',
      null,
      h('span', '', 'at least'),
      low.input,
      h('span', '', 'at most'),
      high.input,
      h('span', '', '%'),
    );
    const row = h('li', '', null, dot, name, slider.node, number.input, bounds, message);
    row.dataset.source = index;
    say(theirs);
    show();
    return {
      node: row,
      keys,
      bounded,
      weighted: () => Math.abs(weight - 1) > 1e-9,
      changed: () => Math.abs(weight - 1) > 1e-9 || bounded(),
      busy: () => busy,
      // next: the item as the server has it; holds: which of `keys` it does not know yet
      take(next, holds) {
        if (!holds(keys.weight)) weight = next.weight;
        if (!holds(keys.share)) ({least, most} = next);
        show();
        if ((next.message || '') !== theirs) say((theirs = next.message || ''));
      },
    };
  };
})();
