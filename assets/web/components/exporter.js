// The button that takes picked samples along: which ones, in which format, with scores, with the recipe.
(() => {
  const {h} = studio;
  const FORMATS = [
    ['messages', 'Messages', 'role and content, as most trainers read'],
    ['alpaca', 'Alpaca', 'instruction, input, output'],
    ['sharegpt', 'ShareGPT', 'from and value'],
  ];
  const ENDINGS = [
    ['jsonl', '.jsonl, one sample a line'],
    ['json', '.json, one array'],
  ];
  const asked = {format: 'messages', ending: 'jsonl', scores: true, recipe: true}; // as it was answered last

  const options = (pairs, chosen) =>
    pairs.map(([key, label]) => {
      const node = h('option', '', label);
      node.value = key;
      node.selected = key === chosen;
      return node;
    });

  const labelled = (words, field) => h('label', 'st-export-line', null, h('span', '', words), field);

  const box = (key, words, hint) => {
    const input = h('input');
    Object.assign(input, {type: 'checkbox', checked: asked[key], name: key});
    input.addEventListener('change', () => (asked[key] = input.checked));
    return h('label', 'st-export-box', null, input, h('span', '', null, h('b', '', words), h('small', '', hint)));
  };

  // Which samples: one list, in groups where they are of several runs.
  const whichField = (value) => {
    const select = h('select');
    select.name = 'which';
    const groups = new Map();
    for (const one of value.choices) {
      if (!groups.has(one.group)) groups.set(one.group, []);
      groups.get(one.group).push([one.key, `${one.label}, ${studio.count(one.count)} samples`]);
    }
    for (const [name, pairs] of groups) {
      const nodes = options(pairs, value.chosen);
      if (!name) select.append(...nodes);
      else {
        const group = h('optgroup', '', null, ...nodes);
        group.label = name;
        select.append(group);
      }
    }
    return select;
  };

  const sheet = (value, send) => {
    document.querySelector('dialog.st-export')?.remove();
    const dialog = h('dialog', 'st-export');
    const title = h('h3', '', value.label);
    title.id = 'st-export-title';
    dialog.setAttribute('aria-labelledby', title.id);
    const which = value.choices.length > 1 ? whichField(value) : null;
    const formats = h('fieldset', '', null, h('legend', '', 'Format'));
    for (const [key, label, hint] of FORMATS) {
      const input = h('input');
      Object.assign(input, {type: 'radio', name: 'format', value: key, checked: key === asked.format});
      input.addEventListener('change', () => (asked.format = key));
      formats.append(
        h('label', 'st-export-box', null, input, h('span', '', null, h('b', '', label), h('small', '', hint))),
      );
    }
    const ending = h('select', '', null, ...options(ENDINGS, asked.ending));
    ending.name = 'ending';
    ending.addEventListener('change', () => (asked.ending = ending.value));
    const go = h('button', 'st-action primary', 'Download');
    go.type = 'submit';
    const form = h(
      'form',
      '',
      null,
      title,
      which ? labelled('Which samples', which) : null,
      formats,
      labelled('File', ending),
      box(
        'scores',
        'With scores',
        'beside each sample: id, file, row, rank, gain, complexity, diversity and why it was picked',
      ),
      box(
        'recipe',
        'With the recipe',
        'a second file: settings, pins, exclusions, model, pool and the command that picks the same again; both come in a zip',
      ),
      h(
        'div',
        'st-export-acts',
        null,
        studio.button('st-action', 'Cancel', '', () => dialog.close()),
        go,
      ),
    );
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      dialog.close();
      send({which: which ? which.value : value.chosen, ...asked});
    });
    dialog.append(form);
    // a click beside the sheet closes it
    dialog.addEventListener('click', (event) => {
      if (event.target === dialog) dialog.close();
    });
    dialog.addEventListener('close', () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
    go.focus();
  };

  studio.exporter = (context) => {
    let value = null;
    const root = studio.mount(context, (given, node) => {
      value = given;
      (context.element.closest('.block') || context.element).classList.toggle('st-gone', !value);
      node.className = 'st-exporter';
      if (!node.firstChild) {
        const button = studio.button('st-primary', '', '', () =>
          sheet(value, (answer) => {
            node.classList.add('busy');
            button.disabled = true;
            button.textContent = 'Preparing…';
            context.trigger('export', answer);
          }),
        );
        button.setAttribute('aria-haspopup', 'dialog');
        node.append(button);
      }
      draw(node);
    });
    const draw = (node) => {
      const button = node.firstChild;
      if (node.classList.contains('busy')) return;
      button.textContent = value?.label || '';
      button.disabled = Boolean(!value || value.off);
      button.title = value?.off || '';
    };
    // the file is there, or it is said why not
    root.addEventListener('studio-exported', () => {
      root.classList.remove('busy');
      draw(root);
    });
  };

  studio.exported = () =>
    document.querySelectorAll('.st-exporter.busy').forEach((node) => node.dispatchEvent(new Event('studio-exported')));

  // What the server has written goes to the visitor's downloads.
  studio.download = (file) => {
    if (!file?.url) return;
    const link = h('a');
    link.href = file.url;
    link.download = file.orig_name || '';
    document.body.append(link);
    link.click();
    link.remove();
  };
})();
