// The controls of settings: a number, a slider, a budget, a choice, several, a switch, a text and lines of text.
(() => {
  const {h} = studio;
  const PAUSE = 600; // ms without a key after which a number that was typed counts

  const same = (studio.sameValue = (a, b) =>
    a === b || (typeof a === 'number' && typeof b === 'number' && Math.abs(a - b) < 1e-9));
  const decimals = (step) => (String(step ?? '').split('.')[1] || '').length;
  const worded = (x, step) =>
    x === null || x === undefined
      ? ''
      : typeof x === 'number'
        ? String(Number(x.toFixed(Math.max(decimals(step), 3))))
        : String(x);
  const bound = (x, min, max) => Math.min(max ?? Infinity, Math.max(min ?? -Infinity, x));
  const range = (min, max) =>
    min !== null && min !== undefined && max !== null && max !== undefined
      ? `${studio.count(min)} to ${studio.count(max)}`
      : min !== null && min !== undefined
        ? `${studio.count(min)} or more`
        : max !== null && max !== undefined
          ? `at most ${studio.count(max)}`
          : 'any number';

  // A slider with its filled part and a mark at the default. on(x) is called while it moves.
  studio.slider = ({min, max, step, label, mark, on, held}) => {
    const input = h('input');
    Object.assign(input, {type: 'range', min, max, step});
    input.setAttribute('aria-label', label);
    const tick = h('i', 'st-default');
    const node = h('div', 'st-track', null, tick, input);
    const place = (x) => (max > min ? (bound(x, min, max) - min) / (max - min) : 0);
    tick.hidden = mark === null || mark === undefined;
    if (!tick.hidden) {
      tick.style.setProperty('--at', place(mark));
      tick.title = `default ${worded(mark, step)}`;
    }
    const paint = () => node.style.setProperty('--fill', place(Number(input.value)));
    input.addEventListener('pointerdown', () => held(true));
    for (const end of ['pointerup', 'pointercancel', 'blur']) input.addEventListener(end, () => held(false));
    input.addEventListener('input', () => {
      paint();
      on(Number(input.value));
    });
    return {
      node,
      input,
      set(x, words) {
        input.value = x;
        paint();
        if (words) input.setAttribute('aria-valuetext', words);
      },
    };
  };

  // A box for a number. on(x) after Enter, on leaving, by the arrows, or after a pause. What does not fit is refused: it stays in
  // the box to be mended, the setting stays what it was, and say(text) tells why. allowed: [lowest, highest], where these are
  // not the ends of its arrows.
  studio.numberField = ({min, max, step, whole, unit, label, fallback, on, say, held, allowed = [min, max]}) => {
    const input = h('input', 'st-number');
    Object.assign(input, {type: 'number', step: step ?? 'any', autocomplete: 'off'});
    if (min !== null && min !== undefined) input.min = min;
    if (max !== null && max !== undefined) input.max = max;
    input.setAttribute('aria-label', label);
    let timer = 0;
    let dirty = false;
    let refused = null; // the value in force since what stands in the box was refused
    const mark = (why) => {
      refused = why ? fallback() : null;
      input.classList.toggle('refused', Boolean(why));
      input.setAttribute('aria-invalid', String(Boolean(why)));
    };
    const set = (x) => {
      if (refused !== null) {
        if (same(x, refused)) return;
        mark('');
        say('');
      }
      input.value = worded(x, step);
    };
    const unitOf = unit ? ` ${unit}` : '';
    const read = () => {
      if (input.validity.badInput) return {why: 'That is not a number'};
      if (input.value === '')
        return {x: fallback(true), told: `Empty: back to ${worded(fallback(true), step) || 'the default'}.`};
      const x = Number(input.value);
      if (whole && !Number.isInteger(x)) return {why: `Allowed: whole numbers, ${range(...allowed)}${unitOf}`};
      if (bound(x, ...allowed) !== x) return {why: `Allowed: ${range(...allowed)}${unitOf}`};
      return {x};
    };
    const commit = () => {
      clearTimeout(timer);
      if (!dirty) return;
      dirty = false;
      const {x, why, told} = read();
      if (why) {
        mark(why);
        held(false);
        say(`${why}. Not changed: still ${worded(fallback(), step)}${unitOf}.`);
        return;
      }
      mark('');
      set(x);
      say(told || '');
      if (!same(x, fallback())) on(x);
      held(false);
    };
    input.addEventListener('input', () => {
      dirty = true;
      held(true);
      mark('');
      say('');
      clearTimeout(timer);
      timer = setTimeout(() => {
        const {x, why, told} = read();
        if (dirty && !why && !told && !same(x, fallback())) on(x); // what is not yet a number that fits waits for Enter
      }, PAUSE);
    });
    input.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') commit();
      if (event.key === 'Escape' && (dirty || refused !== null)) {
        event.stopPropagation();
        clearTimeout(timer);
        dirty = false;
        mark('');
        say('');
        set(fallback());
        held(false);
      }
    });
    input.addEventListener('blur', commit);
    input.addEventListener(
      'wheel',
      () => {
        if (document.activeElement === input) input.blur();
      },
      {passive: true},
    );
    return {input, set};
  };

  // A control by its kind: {input, beside, below, set(value), words(value)}. The input has the label; `beside` stands
  // behind it and `below` under it; set(value) shows a value; words(value) names one.
  // given: the field; with: {on(value), say(text), held(whether), now(): the field as it is, calm(input): whether it may
  // be written into, total: samples that the budget is a share of}.
  const ranged = (given, {on, say, held, now, calm}) => {
    const {label, min, max, step} = given;
    const slider =
      given.kind === 'slider' ? studio.slider({min, max, step, label, mark: given.default, held, on}) : null;
    const number = studio.numberField({
      min,
      max,
      step,
      whole: Number.isInteger(step) && step >= 1,
      unit: given.unit === 'tokens' ? given.unit : '',
      label,
      fallback: (empty) => (empty ? now().default : now().value),
      say,
      held,
      on,
    });
    return {
      input: number.input,
      beside: number.input,
      below: slider ? [slider.node] : [],
      words: (value) => worded(value, step),
      set(value) {
        if (calm(number.input)) number.set(value);
        if (slider && calm(slider.input))
          slider.set(value, [worded(value, step), now().unit].filter(Boolean).join(' '));
      },
    };
  };

  // A share of the pool and a number of samples, whichever is easier to say.
  const budget = (given, {on, say, held, now, calm, total}) => {
    const samplesOf = (value) =>
      value <= 1 ? Math.floor(Number((value * total).toFixed(9))) : Math.min(total, Math.floor(value));
    const percentOf = (value) => (value <= 1 ? 100 * value : total ? (100 * Math.min(total, value)) / total : 0);
    const least = total ? Math.min(1, 2 / total) : 0;
    const share = (percent) => Math.min(1, Math.max(least, percent / 100));
    const known = (empty) => (empty ? now().default : now().value);
    const {label} = given;
    const slider = studio.slider({
      min: 0,
      max: 100,
      step: 0.5,
      label: `${label}, percent of the pool`,
      mark: percentOf(given.default),
      held,
      on: (x) => on(share(x)),
    });
    const percent = studio.numberField({
      min: 0,
      max: 100,
      allowed: [100 * least, 100],
      step: 0.5,
      unit: '%',
      label: `${label}, percent`,
      fallback: (empty) => Number(percentOf(known(empty)).toFixed(2)),
      say,
      held,
      on: (x) => on(share(x)),
    });
    // 1 would be the whole pool, as a share
    const samples = studio.numberField({
      min: 2,
      max: total || null,
      step: 1,
      whole: true,
      unit: 'samples',
      label: `${label}, samples`,
      fallback: (empty) => samplesOf(known(empty)),
      say,
      held,
      on,
    });
    const pair = (input, unit) => h('span', 'st-pair', null, input, h('span', 'st-unit', unit));
    return {
      input: percent.input,
      below: [h('div', 'st-field-pair', null, pair(percent.input, '%'), pair(samples.input, 'samples')), slider.node],
      words: (value) => `${Number(percentOf(value).toFixed(2))} %`,
      set(value) {
        const [part, count] = [Number(percentOf(value).toFixed(2)), samplesOf(value)];
        if (calm(percent.input)) percent.set(part);
        if (calm(samples.input)) samples.set(count);
        if (calm(slider.input)) slider.set(percentOf(value), `${part} percent, ${studio.count(count)} samples`);
      },
    };
  };

  const choice = (given, {on}) => {
    const select = h(
      'select',
      '',
      null,
      ...given.options.map(({value, label, hint}) => Object.assign(studio.option(value, label), {title: hint || ''})),
    );
    select.addEventListener('change', () => on(select.value));
    return {
      input: select,
      below: [select],
      words: (value) => given.options.find((option) => option.value === value)?.label ?? value,
      set(value) {
        select.value = value;
      },
    };
  };

  const toggle = (given, {on}) => {
    const input = h('input');
    input.type = 'checkbox';
    input.addEventListener('change', () => on(input.checked));
    return {
      input,
      beside: input,
      words: (value) => (value ? 'on' : 'off'),
      set(value) {
        input.checked = Boolean(value);
      },
    };
  };

  const listed = (value) => String(value).replaceAll('\n', ', ') || 'none';

  const several = (given, {on}) => {
    const boxes = given.options.map(({value, label}) => {
      const input = h('input');
      input.type = 'checkbox';
      input.value = value;
      return {input, node: h('label', 'st-beside', null, input, h('span', '', label))};
    });
    const node = h('div', 'st-ticks', null, ...boxes.map((box) => box.node));
    const chosen = () => boxes.filter((box) => box.input.checked).map((box) => box.input.value);
    node.addEventListener('change', () => on(chosen().join('\n')));
    return {
      input: boxes[0].input,
      below: [node],
      words: listed,
      set(value) {
        const names = String(value).split('\n');
        for (const {input} of boxes) input.checked = names.includes(input.value);
      },
    };
  };

  // What is typed is taken as it is; `decimal` is a number that the server reads, so that it may say what is wrong with it.
  const typed = (given, {on}) => {
    const [lines, decimal] = [given.kind === 'lines', given.kind === 'decimal'];
    const input = h(lines ? 'textarea' : 'input', decimal ? 'st-number' : '');
    if (lines) input.rows = 2;
    else input.type = 'text';
    if (decimal) input.inputMode = 'decimal';
    Object.assign(input, {autocomplete: 'off', spellcheck: false, placeholder: given.placeholder || ''});
    input.addEventListener('input', () => on(input.value));
    const offered = (given.offered || []).map(({value, label}) => studio.option(value, label));
    const list = offered.length ? h('datalist', '', null, ...offered) : null;
    if (list) {
      list.id = `offered-for-${given.name}`;
      input.setAttribute('list', list.id);
    }
    return {
      input,
      ...(decimal ? {beside: input} : {below: [input, ...(list ? [list] : [])]}),
      words: listed,
      set(value) {
        if (input.value !== value) input.value = value;
      },
    };
  };

  studio.controls = {
    choice,
    several,
    budget,
    switch: toggle,
    slider: ranged,
    number: ranged,
    text: typed,
    lines: typed,
    decimal: typed,
  };
})();
