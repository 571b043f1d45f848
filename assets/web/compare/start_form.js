// The form that starts a comparison: its fields and its button. What is asked for lives in the page, and is told with every
// event; what would come of it stands in the note below.
(() => {
  const shape = (fields) =>
    JSON.stringify(
      fields.map(({name, label, kind, options, offered, placeholder}) => [
        name,
        label,
        kind,
        options,
        offered,
        placeholder,
      ]),
    );

  studio.startform = (context) => {
    const root = context.element.firstElementChild;
    const queue = studio.queue(context.trigger);
    const fields = new Map();
    const values = {};
    let seen = '';
    let prefix = 'compare'; // of the ids of its nodes
    const on = (name, value) => {
      values[name] = value;
      queue.send('form', 'set', {name, values: {...values}});
    };
    const start = studio.button('st-launch', '', '', () => {
      start.disabled = true; // until it is answered
      queue.send('start', 'start', {values: {...values}});
    });

    const build = (given) => {
      fields.clear();
      start.id = `${prefix}-launch`;
      for (const field of given) {
        const back = (name) => on(name, field.default);
        fields.set(field.name, studio.field(field, {on, back, id: `${prefix}-${field.name}`}));
      }
      root.replaceChildren(...[...fields.values()].map((field) => field.node), start);
    };

    studio.mount(context, (given) => {
      if (!given) return;
      prefix = given.prefix || prefix;
      queue.answered(given.seq);
      const held = queue.holds('form', given.seq); // something was changed since
      const now = given.fields.map((field) =>
        held && field.name in values ? {...field, value: values[field.name]} : field,
      );
      for (const {name, value} of now) values[name] = value;
      if (shape(now) !== seen) {
        seen = shape(now);
        studio.keepFocus(root, () => build(now));
      } else {
        for (const field of now) fields.get(field.name).take(field);
      }
      start.textContent = given.button;
      start.disabled = !given.ready || held;
    });
  };
})();
