// What the form says as a command and as a file, and the ways to fill the form from one.
(() => {
  const {h} = studio;
  const COPIED = 1500; // ms that a button says what became of a copy

  const download = (name, text) => {
    const link = h('a');
    link.href = URL.createObjectURL(new Blob([text], {type: 'application/json'}));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };

  const copier = (what, text) => {
    const button = studio.button('st-action', 'Copy', `copy ${what}`, async () => {
      button.textContent = (await studio.copy(text())) ? 'Copied' : 'Could not copy';
      setTimeout(() => {
        button.textContent = 'Copy';
      }, COPIED);
    });
    return button;
  };

  const output = (id, rows, what, ...more) => {
    const area = h('textarea', 'mono');
    Object.assign(area, {readOnly: true, rows, spellcheck: false});
    area.setAttribute('aria-label', what);
    const copy = copier(what, () => area.value);
    const node = h('div', 'st-output', null, area, h('div', 'st-buttons', null, copy, ...more));
    node.id = id;
    return {node, area};
  };

  // load(what): fills the form from {run}, or from {text, name} of a file or what was pasted.
  // Returns {nodes, show({command, config}, runs)}; runs are [label, value] each.
  studio.tuneConfiguration = (load) => {
    const command = output('tune-command', 4, 'the command');
    const config = output(
      'tune-config',
      8,
      'the configuration',
      studio.button('st-action', 'Download', 'as config.json', () => download('config.json', config.area.value)),
    );
    const run = h('select');
    run.setAttribute('aria-label', 'a run whose configuration is loaded');
    run.addEventListener('change', () => {
      if (run.value) load({run: run.value});
      run.value = '';
    });
    const paste = h('textarea', 'mono');
    Object.assign(paste, {rows: 3, placeholder: 'or paste a config.json here', spellcheck: false});
    paste.setAttribute('aria-label', 'a configuration to load');
    const file = h('input');
    file.type = 'file';
    file.accept = '.json,application/json';
    file.setAttribute('aria-label', 'a config.json to load');
    file.addEventListener('change', async () => {
      if (file.files[0]) await load({text: await file.files[0].text(), name: file.files[0].name});
      file.value = '';
    });
    const take = studio.button('st-action', 'Load', 'fill the form with what was pasted', () =>
      load({text: paste.value}),
    );
    const loader = h('div', 'st-output', null, run, paste, h('div', 'st-buttons', null, take, file));
    loader.id = 'tune-load';
    return {
      nodes: [
        studio.fold('tune command', 'The same in a terminal', true, command.node),
        studio.fold('tune config', 'config.json', false, config.node),
        studio.fold('tune load', 'Load a configuration', false, loader),
      ],
      show: (said, runs) => {
        if (said.command) command.area.value = said.command;
        if (said.config) config.area.value = said.config;
        run.replaceChildren(
          studio.option('', 'a run of this folder …'),
          ...runs.map(([label, id]) => studio.option(id, label)),
        );
      },
    };
  };
})();
