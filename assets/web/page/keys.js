// Keys of the whole page, for the tab on which this component can be seen. Never while somebody writes in a field.
(() => {
  const {h} = studio;
  const LINES = [
    ['step', ['j'], 'next sample'],
    ['step', ['k'], 'previous sample'],
    ['mark', ['p'], 'pin: always in the selection'],
    ['mark', ['x'], 'exclude: never in the selection'],
    ['mark', ['u'], 'clear the mark'],
    ['note', ['n'], 'write a note on the sample'],
    ['search', ['/'], 'search'],
    ['undo', ['z'], 'undo the last mark or note'],
    ['undo', ['Shift', 'z'], 'redo it'],
    ['table', ['↑', '↓'], 'move through the table; Enter opens, Space ticks, with Shift a range'],
    ['help', ['Shift', 'p'], 'present: one screen a story, for showing to others'],
    ['escape', ['Esc'], 'untick rows, close what is open'],
    ['help', ['?'], 'this list'],
  ];

  const shown = (selector) => [...document.querySelectorAll(selector)].find(studio.visible);

  // A sheet that lists the keys: a dialog of the browser's own, which keeps the focus and closes with Esc.
  const sheet = (can) => {
    document.querySelector('dialog.st-keys-sheet')?.remove();
    const dialog = h('dialog', 'st-keys-sheet');
    const list = h('dl');
    for (const [action, keys, words] of LINES) {
      if (!can(action)) continue;
      list.append(h('div', '', null, h('dt', '', null, ...keys.map((key) => h('kbd', '', key))), h('dd', '', words)));
    }
    const close = studio.button('st-action', 'Close', 'Escape', () => dialog.close());
    const title = h('h3', '', 'Keys');
    title.id = 'st-keys-title';
    dialog.setAttribute('aria-labelledby', title.id);
    dialog.append(
      h('div', 'st-keys-body', null, title, list, h('p', 'st-hint', 'Disabled while you type in a field.'), close),
    );
    // a click beside the sheet closes it
    dialog.addEventListener('click', (event) => {
      if (event.target === dialog) dialog.close();
    });
    dialog.addEventListener('close', () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
    close.focus();
  };

  studio.keys = (context) => {
    const {trigger} = context;
    let actions = null; // null: all of them
    const can = (action) =>
      (!actions || actions.includes(action)) && !(studio.looks() && ['mark', 'note', 'undo'].includes(action));
    const root = studio.mount(context, (value, node) => {
      node.className = 'st-keys';
      actions = value?.actions || null;
      if (node.firstChild) return;
      const button = studio.button('st-keys-button', '?', 'keys (?)', () => sheet(can));
      button.setAttribute('aria-label', 'list of keys');
      button.setAttribute('aria-haspopup', 'dialog');
      node.replaceChildren(button);
    });

    const walk = studio.walker(trigger, () => shown('.st-sample'));

    const escape = () =>
      document.querySelectorAll('.st-table').forEach((node) => {
        if (studio.visible(node)) node.dispatchEvent(new Event('studio-escape'));
      });

    const press = {
      j: ['step', () => walk(1)],
      k: ['step', () => walk(-1)],
      p: ['mark', () => trigger('mark', {kind: 'pin'})],
      x: ['mark', () => trigger('mark', {kind: 'exclude'})],
      u: ['mark', () => trigger('mark', {kind: 'clear'})],
      n: ['note', () => shown('.st-sample')?.dispatchEvent(new Event('studio-note'))],
      z: ['undo', () => trigger('undo', {})],
      Z: ['undo', () => trigger('redo', {})],
      '/': [
        'search',
        () => {
          const field = shown('.st-search input');
          field?.focus();
          field?.select();
        },
      ],
      '?': ['help', () => sheet(can)],
      Escape: ['escape', escape],
    };

    document.addEventListener('keydown', (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
      if (!studio.visible(root) || studio.writes(event.target) || document.querySelector('dialog[open]')) return;
      // with the shift lock on, j is still j; only for z does shift say something
      const key = event.key.length === 1 && !'zZ'.includes(event.key) ? event.key.toLowerCase() : event.key;
      const name = 'zZ'.includes(key) && key.length === 1 ? (event.shiftKey ? 'Z' : 'z') : key;
      const [action, run] = Object.hasOwn(press, name) ? press[name] : [];
      if (!run || (action !== 'help' && action !== 'escape' && !can(action))) return;
      if (event.repeat && action !== 'step') return; // a held p pins once
      event.preventDefault();
      run();
    });
  };
})();
