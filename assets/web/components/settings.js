// The settings of a selection: fields in groups, weights of the sources, undo and redo, and settings saved by name.
(() => {
  const {h} = studio;

  // What makes the panel another one; anything else is shown in place, so that no control is taken from under a hand.
  const shape = (value) =>
    JSON.stringify([
      value.total,
      (value.groups || []).map((group) => [
        group.title,
        group.fields.map(({name, label, kind, min, max, step, options, default: start}) => [
          name,
          label,
          kind,
          min,
          max,
          step,
          options,
          start,
        ]),
      ]),
      value.sources && [
        value.sources.title,
        value.sources.help,
        value.sources.items.map(({name, colour, count}) => [name, colour, count]),
      ],
    ]);

  // Whether the server knows everything that was set on the Curate tab; others may wait for it.
  studio.settled = (() => {
    const waiting = new Set();
    let now = true;
    return {
      get now() {
        return now;
      },
      set(settled) {
        if (settled === now) return;
        now = settled;
        for (const call of waiting) call(now);
      },
      watch(call) {
        waiting.add(call);
      },
    };
  })();

  studio.settings = (context) => {
    const starts = Boolean(context.element.closest('#settings')); // the Curate tab's, which a run starts from
    const queue = studio.queue(context.trigger, (settled) => {
      if (starts) studio.settled.set(settled);
    });
    const root = context.element.firstElementChild;
    let value = null;
    let seen = '';
    let fields = new Map();
    let groups = [];
    let weights = [];
    let foot = null;
    let tools = null;

    const act = (event, data = {}) => queue.send(`${event} ${JSON.stringify(data)}`, event, data);
    const send = (name, x) => {
      queue.send(name, 'set', {name, value: x});
      count();
    };
    const reset = (name) => {
      queue.forget(name);
      queue.send(name, 'reset', {name});
      count();
    };

    const build = () => {
      fields = new Map();
      groups = (value.groups || []).map((group) => {
        const own = group.fields.map((field) => {
          const made = studio.field(field, {total: value.total, on: send, back: reset});
          fields.set(field.name, made);
          return made;
        });
        const body = own.map((field) => field.node);
        if (!group.title) return {node: h('div', 'st-group', null, ...body), own, told: null};
        const told = h('em', 'st-changed');
        return {
          node: studio.fold(`settings ${group.title}`, h('span', '', group.title, told), group.open, ...body),
          own,
          told,
        };
      });
      const weigh = (key, data) => queue.send(key, 'weigh', data);
      weights = (value.sources?.items || []).map((item, index) =>
        studio.sourceRow(item, index, {send: weigh, count: () => count()}),
      );
      const told = h('em', 'st-changed');
      const back = studio.iconButton('st-reset', 'reset', 'every source back to 1, without bounds', () => {
        if (weights.some((row) => row.weighted())) reset('source_weights');
        if (weights.some((row) => row.bounded())) reset('source_shares');
      });
      const box =
        weights.length > 1
          ? studio.fold(
              'settings sources',
              h('span', '', value.sources.title, told),
              true,
              h('div', 'st-weights-head', null, h('p', 'st-field-help', value.sources.help), back),
              h('ul', 'st-sources', null, ...weights.map((item) => item.node)),
            )
          : null;
      if (box) box.dataset.field = 'source_weights';
      groups.push({node: box, own: weights, told, back});
      const icon = (event, title) => studio.iconButton('st-step', event, title, () => act(event));
      tools = {
        undo: icon('undo', 'undo the last change of settings'),
        redo: icon('redo', 'redo it'),
        reset: studio.button('st-link', 'Reset all', 'every setting back to its default', () => {
          for (const name of fields.keys()) queue.forget(name);
          act('reset', {name: null});
        }),
      };
      foot = saved();
      root.replaceChildren(
        ...[
          h(
            'div',
            'st-settings-head',
            null,
            h('h3', '', value.title || 'Settings'),
            tools.reset,
            tools.undo,
            tools.redo,
          ),
          ...groups.map((group) => group.node),
          foot.node,
        ].filter(Boolean),
      );
    };

    // Settings that somebody named.
    const saved = () => {
      const list = h('ul', 'st-saved');
      const input = h('input');
      input.type = 'text';
      input.maxLength = 60;
      input.placeholder = 'Name for these settings';
      input.setAttribute('aria-label', 'Name for these settings');
      const save = studio.button('st-action', 'Save', 'keep these settings under this name', () => {
        const name = input.value.trim();
        if (!name) return input.focus();
        input.value = '';
        act('save', {name});
      });
      input.addEventListener('keydown', (event) => {
        if (event.key === 'Enter' && !event.isComposing) save.click();
      });
      const compare = studio.button('st-link', 'Compare them', 'saved settings side by side', () => act('compare'));
      const told = h('em', 'st-changed');
      const forget = (item) => {
        const node = studio.iconButton('st-reset changes', 'cross', `forget ${item.name}`, () => {
          if (node.dataset.sure) return act('forget', {name: item.name});
          // this cannot be undone, so it takes two clicks
          node.dataset.sure = 'yes';
          node.replaceChildren(h('span', '', 'Forget?'));
          setTimeout(() => {
            delete node.dataset.sure;
            node.replaceChildren(studio.icon('cross'));
          }, 3000);
        });
        node.dataset.key = `forget ${item.name}`;
        return node;
      };
      let before = '';
      const show = () => {
        const items = value.saved || [];
        told.textContent = items.length ? String(items.length) : '';
        compare.hidden = !items.length;
        if (JSON.stringify(items) === before) return;
        before = JSON.stringify(items);
        studio.keepFocus(list, () =>
          list.replaceChildren(
            ...items.map((item) => {
              const load = studio.button('st-saved-name', null, `use ${item.name}`, () =>
                act('recall', {name: item.name}),
              );
              load.dataset.key = `recall ${item.name}`;
              load.append(h('b', '', item.name), h('span', '', item.hint || ''));
              return h('li', '', null, load, forget(item));
            }),
          ),
        );
      };
      const node = studio.fold(
        'settings saved',
        h('span', '', 'Saved settings', told),
        false,
        list,
        h('div', 'st-save changes', null, input, save),
        compare,
      );
      return {node: value.saved ? node : null, show};
    };

    // How much differs from the defaults, in the heads of the groups.
    const count = () => {
      let all = 0;
      for (const group of groups) {
        const changed = group.own.filter((item) => item.changed()).length;
        all += changed;
        if (group.told) group.told.textContent = changed ? `${changed} changed` : '';
        group.back?.classList.toggle('unused', !changed);
        if (group.back) group.back.disabled = !changed;
      }
      tools.reset.classList.toggle('unused', !all);
      tools.reset.disabled = !all;
    };

    studio.mount(context, (given) => {
      root.className = 'st-settings';
      if (!given) {
        seen = '';
        return root.replaceChildren();
      }
      value = given;
      queue.answered(value.seq);
      if (shape(value) !== seen) {
        seen = shape(value);
        studio.keepFocus(root, build);
      } else {
        for (const field of (value.groups || []).flatMap((group) => group.fields)) {
          if (!queue.holds(field.name, value.seq)) fields.get(field.name).take(field);
        }
        weights.forEach((weight, index) => {
          weight.take(value.sources.items[index], (key) => queue.holds(key, value.seq));
        });
      }
      tools.undo.disabled = !value.can_undo;
      tools.redo.disabled = !value.can_redo;
      foot.show();
      count();
    });
  };
})();
