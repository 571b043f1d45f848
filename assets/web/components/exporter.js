// The button that takes samples along, and the sheet that asks how: which ones, in which format, with what beside them.
(() => {
  const {h} = studio;
  const FORMATS = [
    ['messages', 'Messages', 'role and content. For Axolotl, and most trainers'],
    ['prompt_completion', 'Prompt and completion', 'the response set apart. For TRL: it trains on the response only'],
    ['sharegpt', 'ShareGPT', 'from and value. For LLaMA-Factory; keeps tools and reasoning there'],
    ['alpaca', 'Alpaca', 'instruction, input, output. Conversations that do not fit come as messages beside it'],
  ];
  const ENDINGS = [
    ['jsonl', '.jsonl, one sample a line'],
    ['json', '.json, one array'],
    ['parquet', '.parquet, a compressed table'],
  ];
  // as it was answered last
  const asked = {format: 'messages', ending: 'jsonl', scores: true, heldOut: false, recipe: true, folder: false};

  const options = (pairs, chosen) =>
    pairs.map(([key, label]) => Object.assign(studio.option(key, label), {selected: key === chosen}));

  const labelled = (words, field) => h('label', 'st-export-line', null, h('span', '', words), field);

  const box = (key, words, hint, after) => {
    const input = h('input');
    Object.assign(input, {type: 'checkbox', checked: asked[key], name: key});
    input.addEventListener('change', () => {
      asked[key] = input.checked;
      after?.();
    });
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
    const heldOut = box('heldOut', 'With the held-out samples', '');
    const recipe = box(
      'recipe',
      'With the recipe',
      'a second file: settings, model, pool and the command that picks the same again',
    );
    const scores = box('scores', 'With what is known of each sample', '');
    // what cannot be chosen is off, and says why
    const update = () => {
      const chosen = value.choices.find((one) => one.key === (which ? which.value : value.chosen));
      const count = chosen?.heldOut || 0;
      const [field, words] = [heldOut.querySelector('input'), heldOut.querySelector('small')];
      field.disabled = !count;
      field.checked = Boolean(count) && asked.heldOut;
      words.textContent = count
        ? `a second file, test: ${studio.count(count)} ${count === 1 ? 'sample' : 'samples'} to measure on, which nothing trains on`
        : 'nothing was held out here';
      const made = recipe.querySelector('input');
      made.disabled = asked.folder;
      made.checked = asked.folder || asked.recipe;
      const columns =
        (chosen?.picked ?? value.picked) === false
          ? 'id, file, row and complexity'
          : 'id, file, row, rank, gain, complexity, diversity and why it was picked';
      scores.querySelector('small').textContent = `columns beside it: ${columns}`;
    };
    which?.addEventListener('change', update);
    const ending = h('select', '', null, ...options(ENDINGS, asked.ending));
    ending.name = 'ending';
    ending.addEventListener('change', () => (asked.ending = ending.value));
    const go = h('button', 'st-action primary', 'Download');
    go.type = 'submit';
    const hub = h('input');
    Object.assign(hub, {type: 'text', name: 'hub', placeholder: 'owner/name', autocomplete: 'off', spellcheck: false});
    hub.setAttribute('aria-describedby', 'st-export-hub-help');
    hub.addEventListener('input', () => {
      go.textContent = hub.value.trim() ? 'Send and download' : 'Download';
    });
    const hubHelp = h(
      'small',
      'st-export-help',
      'As a folder for training that only its owner can read. The app needs a token that may write: hf auth login, or HF_TOKEN.',
    );
    hubHelp.id = 'st-export-hub-help';
    const form = h(
      'form',
      '',
      null,
      title,
      which ? labelled('Which samples', which) : null,
      formats,
      labelled('File', ending),
      scores,
      heldOut,
      recipe,
      box(
        'folder',
        'As a folder for training',
        'in a zip: the samples, a card that says what they are, the recipe, and the lines that LLaMA-Factory and Axolotl need. It opens with load_dataset of the datasets library',
        update,
      ),
      studio.looks() ? null : labelled('To the Hugging Face hub, too', hub),
      studio.looks() ? null : hubHelp,
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
      send({
        ...asked,
        which: which ? which.value : value.chosen,
        heldOut: heldOut.querySelector('input').checked,
        hub: hub.value.trim(),
      });
    });
    update();
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

  // Ask how to export samples, for whoever has a list of them; `send` gets the answer.
  studio.askExport = sheet;

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

  studio.exported = () => {
    document.querySelectorAll('.st-exporter.busy').forEach((node) => node.dispatchEvent(new Event('studio-exported')));
    dispatchEvent(new Event('studio-exported'));
  };

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
