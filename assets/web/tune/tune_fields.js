// One setting of the form of a run: label, control, help, what is wrong with it, and the way back to its preset.
(() => {
  const {h} = studio;

  const control = (field, on) => {
    if (field.kind === 'choice') {
      const select = h(
        'select',
        '',
        null,
        ...field.options.map(({value, label, hint}) => {
          const item = h('option', '', label);
          item.value = value;
          item.title = hint || '';
          return item;
        }),
      );
      select.addEventListener('change', () => on(select.value));
      return {
        node: select,
        input: select,
        set: (value) => {
          select.value = value;
        },
      };
    }
    if (field.kind === 'switch') {
      const input = h('input');
      input.type = 'checkbox';
      input.addEventListener('change', () => on(input.checked));
      return {
        node: input,
        input,
        set: (value) => {
          input.checked = Boolean(value);
        },
      };
    }
    if (field.kind === 'several') {
      const boxes = field.options.map(({value, label}) => {
        const input = h('input');
        input.type = 'checkbox';
        input.value = value;
        return {input, node: h('label', 'st-beside', null, input, h('span', '', label))};
      });
      const node = h('div', 'st-ticks', null, ...boxes.map((box) => box.node));
      node.addEventListener('change', () =>
        on(
          boxes
            .filter((box) => box.input.checked)
            .map((box) => box.input.value)
            .join('\n'),
        ),
      );
      return {
        node,
        input: boxes[0].input,
        set: (value) => {
          const chosen = String(value).split('\n');
          for (const {input} of boxes) input.checked = chosen.includes(input.value);
        },
      };
    }
    const input = h(field.kind === 'lines' ? 'textarea' : 'input', field.kind === 'number' ? 'st-number' : '');
    if (field.kind === 'lines') input.rows = 2;
    else input.type = 'text';
    if (field.kind === 'number') input.inputMode = 'decimal';
    Object.assign(input, {autocomplete: 'off', spellcheck: false, placeholder: field.placeholder || ''});
    input.addEventListener('input', () => on(input.value));
    return {
      node: input,
      input,
      set: (value) => {
        if (input.value !== value) input.value = value;
      },
    };
  };

  // on(name, value) after each change by hand, back(name) where somebody wants the preset's value again.
  studio.tuneField = (field, {on, back}) => {
    const id = `tune-${field.name.replaceAll('_', '-')}`;
    const made = control(field, (value) => on(field.name, value));
    const help = h('p', 'st-field-help', field.help);
    const message = h('p', 'st-field-message');
    message.setAttribute('role', 'status');
    message.hidden = true;
    made.input.id = `${id}-input`;
    help.id = `${id}-help`;
    made.input.setAttribute('aria-describedby', help.id);
    const reset = studio.iconButton('st-reset', 'reset', 'back to the preset', () => back(field.name));
    const node = h('div', `st-field kind-${field.kind}`);
    node.id = id;
    node.dataset.field = field.name;
    const more = studio.button('st-more', '?', 'the full help', () => {
      node.classList.toggle('told');
      more.setAttribute('aria-expanded', String(node.classList.contains('told')));
    });
    more.setAttribute('aria-label', `help on ${field.label}`);
    more.setAttribute('aria-expanded', 'false');
    more.setAttribute('aria-controls', help.id);
    const title = h('label', '', field.label);
    title.htmlFor = made.input.id;
    const top = h('div', 'st-field-top', null, title, more, reset);
    const small = field.kind === 'number' || field.kind === 'switch';
    if (small) top.append(h('span', 'st-pair', null, made.node, field.unit ? h('span', 'st-unit', field.unit) : null));
    node.append(top, ...(small ? [] : [made.node]), help, message);
    return {
      node,
      show(value, preset, off, problem) {
        made.set(value);
        const changed = value !== preset;
        reset.classList.toggle('unused', !changed);
        reset.disabled = !changed;
        const was = preset === true ? 'on' : preset === false ? 'off' : String(preset).replaceAll('\n', ', ') || 'none';
        reset.title = `back to the preset's ${was}`;
        reset.setAttribute('aria-label', `${field.label}: ${reset.title}`);
        const hint = (field.options || []).find((option) => option.value === value)?.hint;
        help.textContent = off || (hint ? `${hint} ${field.help}` : field.help);
        help.title = help.textContent;
        node.classList.toggle('off', Boolean(off));
        node.classList.toggle('changed', changed);
        node.classList.toggle('wrong', Boolean(problem?.fatal));
        made.input.setAttribute('aria-invalid', String(Boolean(problem?.fatal)));
        message.textContent = problem?.text || '';
        message.hidden = !problem;
      },
    };
  };
})();
