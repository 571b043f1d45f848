// One setting as a control: label, value, slider, help, default and reset; and the line in which events wait.
(() => {
  const {h} = studio;
  const PATIENCE = 1500; // ms after which an answer is no longer waited for
  const PAUSE = 600; // ms without a key after which a number that was typed counts
  let numbered = 0;

  // At most one event is under way; of those that wait, each control keeps its latest. `seq` numbers what was sent, and
  // the server's value says up to which number it has been handled.
  // settled: whether everything that was sent has been answered; on(idle) tells of a change.
  studio.queue = (trigger, on = () => {}) => {
    const waiting = new Map();
    const last = new Map();
    let seq = 0;
    let flying = 0;
    let timer = 0;
    let known = 0; // the number up to which the server has answered
    const tell = () => on(!waiting.size && known >= seq);
    const pump = () => {
      tell();
      if (flying || !waiting.size) return;
      const [key, [event, data]] = waiting.entries().next().value;
      waiting.delete(key);
      flying = ++seq;
      last.set(key, seq);
      timer = setTimeout(() => {
        flying = 0;
        pump();
      }, PATIENCE);
      tell();
      trigger(event, {...data, seq});
    };
    return {
      send(key, event, data) {
        waiting.delete(key); // the latest goes last
        waiting.set(key, [event, data]);
        pump();
      },
      forget(key) {
        waiting.delete(key);
      },
      answered(upTo) {
        if (flying && (upTo ?? Infinity) >= flying) {
          clearTimeout(timer);
          flying = 0;
        }
        known = Math.max(known, upTo ?? 0);
        seq = Math.max(seq, known); // numbers go on after a reload
        pump();
      },
      // whether the server does not know yet what was last done with this control
      holds: (key, upTo) => waiting.has(key) || (last.get(key) ?? 0) > (upTo ?? Infinity),
    };
  };

  const same = (a, b) => a === b || (typeof a === 'number' && typeof b === 'number' && Math.abs(a - b) < 1e-9);
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

  // A field for a number. on(x) after Enter, on leaving, by the arrows, or after a pause; what does not fit is corrected and said.
  studio.numberField = ({min, max, step, whole, label, fallback, on, say, held}) => {
    const input = h('input', 'st-number');
    Object.assign(input, {type: 'number', step: step ?? 'any', autocomplete: 'off'});
    if (min !== null && min !== undefined) input.min = min;
    if (max !== null && max !== undefined) input.max = max;
    input.setAttribute('aria-label', label);
    let timer = 0;
    let dirty = false;
    const set = (x) => {
      input.value = worded(x, step);
    };
    const read = () => {
      if (input.validity.badInput) return {x: fallback(), why: 'That is not a number; nothing was changed.'};
      if (input.value === '')
        return {x: fallback(true), why: `Empty: back to ${worded(fallback(true), step) || 'the default'}.`};
      const typed = Number(input.value);
      const x = bound(whole ? Math.round(typed) : typed, min, max);
      if (same(x, typed)) return {x, why: ''};
      const why = bound(typed, min, max) === typed ? 'Expected a whole number' : `Expected ${range(min, max)}`;
      return {x, why: `${why}; ${worded(typed, step)} became ${worded(x, step)}.`};
    };
    const commit = () => {
      clearTimeout(timer);
      if (!dirty) return;
      dirty = false;
      const {x, why} = read();
      set(x);
      say(why);
      if (!same(x, fallback())) on(x);
      held(false);
    };
    input.addEventListener('input', () => {
      dirty = true;
      held(true);
      say('');
      clearTimeout(timer);
      timer = setTimeout(() => {
        const {x, why} = read();
        if (dirty && !why && !same(x, fallback())) on(x); // what is not yet a number that fits waits for Enter
      }, PAUSE);
    });
    input.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') commit();
      if (event.key === 'Escape' && dirty) {
        event.stopPropagation();
        clearTimeout(timer);
        dirty = false;
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

  // A field of the settings; send(name, value), reset(name).
  studio.field = (given, {total, send, reset}) => {
    let field = given;
    let busy = false;
    const id = `st-field-${++numbered}`;
    const {name, kind, label, step} = field;
    const budget = kind === 'budget';
    const message = h('p', 'st-field-message');
    const help = h('p', 'st-field-help', field.help);
    const unit = h('span', 'st-unit');
    const node = h('div', `st-field kind-${kind}`);
    node.dataset.field = name;
    message.setAttribute('role', 'status');
    help.id = `${id}-help`;

    const isWhole = kind !== 'choice' && !budget && Number.isInteger(step) && step >= 1;
    const samplesOf = (value) =>
      value <= 1 ? Math.floor(Number((value * total).toFixed(9))) : Math.min(total, Math.floor(value));
    const percentOf = (value) => (value <= 1 ? 100 * value : total ? (100 * Math.min(total, value)) / total : 0);
    const say = (text) => {
      message.textContent = text;
      message.hidden = !text;
    };
    const held = (on) => {
      busy = on;
      if (!on) show(field);
    };
    const changed = () => !same(field.value, field.default);
    const choose = (value) => {
      field = {...field, value};
      show(field);
      send(name, value);
    };
    const parts = {};

    if (kind === 'choice') {
      parts.select = h(
        'select',
        '',
        null,
        ...(field.options || []).map((option, index) => {
          const item = h('option', '', option.label);
          item.value = index;
          return item;
        }),
      );
      parts.select.id = id;
      parts.select.addEventListener('change', () => choose(field.options[Number(parts.select.value)].value));
    } else if (budget) {
      const least = total ? Math.min(1, 2 / total) : 0;
      const share = (percent) => Math.min(1, Math.max(least, percent / 100));
      parts.slider = studio.slider({
        min: 0,
        max: 100,
        step: 0.5,
        label: `${label}, percent of the pool`,
        mark: percentOf(field.default),
        held,
        on: (x) => choose(share(x)),
      });
      parts.percent = studio.numberField({
        min: 0,
        max: 100,
        step: 0.5,
        label: `${label}, percent`,
        fallback: (empty) => Number(percentOf(empty ? field.default : field.value).toFixed(2)),
        say,
        held,
        on: (x) => choose(share(x)),
      });
      // 1 would be the whole pool, as a share
      parts.samples = studio.numberField({
        min: 2,
        max: total || null,
        step: 1,
        whole: true,
        label: `${label}, samples`,
        fallback: (empty) => samplesOf(empty ? field.default : field.value),
        say,
        held,
        on: (x) => choose(x),
      });
      parts.percent.input.id = id;
    } else {
      if (kind === 'slider')
        parts.slider = studio.slider({
          min: field.min,
          max: field.max,
          step,
          label,
          mark: field.default,
          held,
          on: choose,
        });
      parts.number = studio.numberField({
        min: field.min,
        max: field.max,
        step,
        whole: isWhole,
        label,
        fallback: (empty) => (empty ? field.default : field.value),
        say,
        held,
        on: choose,
      });
      parts.number.input.id = id;
    }

    const back = studio.iconButton('st-reset', 'reset', '', () => {
      say('');
      field = {...field, value: field.default};
      show(field);
      reset(name);
    });
    const more = studio.button('st-more', '?', 'the full help', () => {
      node.classList.toggle('told');
      more.setAttribute('aria-expanded', String(node.classList.contains('told')));
    });
    more.setAttribute('aria-label', `help on ${label}`);
    more.setAttribute('aria-expanded', 'false');
    more.setAttribute('aria-controls', help.id);
    const title = h('label', '', label);
    title.htmlFor = id;
    const boxes = budget
      ? [
          h('span', 'st-pair', null, parts.percent.input, h('span', 'st-unit', '%')),
          h('span', 'st-pair', null, parts.samples.input, h('span', 'st-unit', 'samples')),
        ]
      : parts.number
        ? [h('span', 'st-pair', null, parts.number.input, unit)]
        : [];
    node.append(h('div', 'st-field-top', null, title, more, back, ...(budget ? [] : boxes)));
    if (budget) node.append(h('div', 'st-field-pair', null, ...boxes));
    if (parts.select) node.append(parts.select);
    if (parts.slider) node.append(parts.slider.node);
    node.append(help, message);

    // Shows a value without touching a field in which somebody types or a slider that is dragged.
    const show = (now) => {
      const {value} = now;
      const active = document.activeElement;
      const calm = (input) => !busy || input !== active;
      if (parts.select)
        parts.select.value = String((now.options || []).findIndex((option) => same(option.value, value)));
      if (budget) {
        const [percent, samples] = [percentOf(value), samplesOf(value)];
        if (calm(parts.percent.input)) parts.percent.set(Number(percent.toFixed(2)));
        if (calm(parts.samples.input)) parts.samples.set(samples);
        if (calm(parts.slider.input))
          parts.slider.set(percent, `${Number(percent.toFixed(2))} percent, ${studio.count(samples)} samples`);
      } else if (parts.number) {
        if (calm(parts.number.input)) parts.number.set(value);
        if (parts.slider && calm(parts.slider.input))
          parts.slider.set(value, [worded(value, step), now.unit].filter(Boolean).join(' '));
      }
      unit.textContent = now.words?.[String(value)] || now.unit || '';
      back.classList.toggle('unused', !changed());
      back.disabled = !changed();
      const was =
        kind === 'choice'
          ? (now.options || []).find((option) => same(option.value, now.default))?.label
          : budget
            ? `${Number(percentOf(now.default).toFixed(2))} %`
            : worded(now.default, step);
      back.title = `back to ${was}`;
      back.setAttribute('aria-label', `${label}: back to ${was}`);
      const option = (now.options || []).find((item) => same(item.value, value));
      help.textContent = now.off || option?.hint || now.help || '';
      help.title = help.textContent;
      node.classList.toggle('off', Boolean(now.off));
      node.classList.toggle('changed', changed());
    };
    let theirs = field.message || ''; // what the server has to say about the value
    say(theirs);
    show(field);
    return {
      node,
      changed,
      busy: () => busy,
      take(next) {
        field = next;
        show(field);
        if ((next.message || '') !== theirs) say((theirs = next.message || ''));
      },
    };
  };
})();
