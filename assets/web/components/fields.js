// One setting of any form: label, control, help, what is wrong with it, and the way back to its default.
(() => {
  const {h} = studio;
  let numbered = 0;

  // on(name, value) after each change by hand, back(name) where somebody wants the default again; id: of its node;
  // origin: whose default it is; total: samples that a budget is a share of.
  studio.field = (given, {on, back, id = '', origin = '', total = 0}) => {
    const {name, kind, label} = given;
    let field = given;
    let busy = false; // somebody types in it or drags it
    const node = h('div', `st-field kind-${kind}`);
    const message = h('p', 'st-field-message');
    const help = h('p', 'st-field-help');
    const unit = h('span', 'st-unit');
    const say = (text) => {
      message.textContent = text;
      message.hidden = !text;
    };
    const control = studio.controls[kind](field, {
      on(value) {
        field = {...field, value};
        draw();
        on(name, value);
      },
      say,
      held(whether) {
        busy = whether;
        if (!whether) draw();
      },
      now: () => field,
      calm: (input) => !busy || input !== document.activeElement,
      total,
    });
    const own = id || `st-field-${++numbered}`;
    node.id = id;
    node.dataset.field = name;
    control.input.id = `${own}-input`;
    control.input.setAttribute('aria-describedby', `${own}-help`);
    help.id = `${own}-help`;
    message.setAttribute('role', 'status');

    const reset = studio.iconButton('st-reset', 'reset', '', () => {
      say('');
      field = {...field, value: field.default};
      draw();
      back(name);
    });
    const more = studio.button('st-more', '?', 'the full help', () => {
      node.classList.toggle('told');
      more.setAttribute('aria-expanded', String(node.classList.contains('told')));
    });
    more.setAttribute('aria-label', `help on ${label}`);
    more.setAttribute('aria-expanded', 'false');
    more.setAttribute('aria-controls', help.id);
    const title = h('label', '', label);
    title.htmlFor = control.input.id;
    const pair = control.beside ? h('span', 'st-pair', null, control.beside, unit) : null;
    node.append(h('div', 'st-field-top', null, title, more, reset, pair), ...(control.below || []), help, message);

    const changed = () => !studio.sameValue(field.value, field.default);
    // Shows the field without touching what somebody types in or drags.
    const draw = () => {
      const {value, options, words} = field;
      control.set(value);
      unit.textContent = words?.[String(value)] || field.unit || '';
      reset.classList.toggle('unused', !changed());
      reset.disabled = !changed();
      reset.title = `back to ${origin}${control.words(field.default)}`;
      reset.setAttribute('aria-label', `${label}: ${reset.title}`);
      const hint = (options || []).find((option) => option.value === value)?.hint;
      help.textContent = field.off || [hint, field.help].filter(Boolean).join(' ');
      help.title = help.textContent;
      node.classList.toggle('off', Boolean(field.off));
      node.classList.toggle('changed', changed());
      node.classList.toggle('wrong', Boolean(field.wrong));
      const refused = control.input.classList.contains('refused'); // by the box itself
      control.input.setAttribute('aria-invalid', String(Boolean(field.wrong) || refused));
    };
    let theirs = field.message || ''; // what the server has to say about the value
    say(theirs);
    if ('value' in field) draw();
    return {
      node,
      changed,
      busy: () => busy,
      // next: what is to be shown of it from now on: value, default, off, message, wrong (whether it must be mended)
      take(next) {
        field = {...field, ...next};
        draw();
        if ((field.message || '') !== theirs) say((theirs = field.message || ''));
      },
    };
  };
})();
