// Rows of a table that somebody ticked, and what can be done with them. The ticks are kept by id, so they survive
// another page; "all" means every row of the list, also those on pages nobody has seen.
(() => {
  const {h} = studio;
  const LEAVES = new Set(['pin', 'exclude', 'clear']); // after these the rows may be in another list

  studio.tableSelection = ({trigger, server}) => {
    const ids = new Set();
    const bar = h('div', 'st-act-bar');
    const state = {all: false, anchor: null, noting: false, told: '', value: null, boxes: [], head: null};
    let timer = 0;
    bar.setAttribute('role', 'toolbar');
    bar.setAttribute('aria-label', 'What to do with the ticked rows');

    const has = (id) => state.all || ids.has(id);
    const size = () => (state.all ? state.value.total : ids.size);
    const drop = () => {
      ids.clear();
      Object.assign(state, {all: false, anchor: null, noting: false, told: ''});
    };
    const leaveAll = () => {
      if (!state.all) return;
      // of all, what stays ticked is what can be seen
      state.all = false;
      state.value.ids.forEach((id) => ids.add(id));
    };
    const set = (id, on) => {
      if (on) ids.add(id);
      else {
        leaveAll();
        ids.delete(id);
      }
    };

    const say = (text) => {
      state.told = text;
      clearTimeout(timer);
      timer = setTimeout(() => {
        state.told = '';
        paint();
      }, 4000);
      paint();
    };

    const copy = async () => {
      let list = [...ids];
      if (state.all) {
        const found = server?.ids ? await server.ids([state.value.list_key || '']) : null;
        if (!found || found.error) return say(found?.error || 'The ids of this list could not be read.');
        list = found.ids;
      }
      const done = await studio.copy(list.join('\n'));
      say(
        done
          ? `Copied ${studio.count(list.length)} ${list.length === 1 ? 'id' : 'ids'}`
          : 'This browser does not let the page copy.',
      );
    };

    const send = (action, more = {}) => {
      trigger(action === 'export' ? 'export' : 'act', {
        action,
        ids: state.all ? [] : [...ids],
        all: state.all,
        list_key: state.value.list_key,
        ...more,
      });
      if (LEAVES.has(action)) drop();
      paint();
    };

    const act = (action) => {
      if (action === 'copy') copy();
      else if (action === 'note') {
        state.noting = true;
        paint();
        bar.querySelector('input')?.focus({preventScroll: true});
      } else if (action === 'export') {
        const [count, words] = [size(), size() === 1 ? 'sample' : 'samples'];
        const one = {key: '', label: 'chosen', count, group: ''};
        studio.askExport(
          {label: `Export ${studio.count(count)} ${words}`, choices: [one], chosen: '', picked: false},
          (answer) => send('export', {export: answer}),
        );
      } else if (action === 'replace') replace();
      else send(action);
    };

    // Of the ticked rows, or of the whole list where none is ticked.
    const replace = () => {
      const whole = state.all || !ids.size;
      studio.replaceSheet({
        server,
        listKey: state.value.list_key || '',
        ids: whole ? null : [...ids],
        size: whole ? state.value.total : ids.size,
        send: (what) =>
          trigger('act', {
            action: 'replace',
            ids: whole ? [] : [...ids],
            all: whole,
            list_key: state.value.list_key,
            text: JSON.stringify(what),
          }),
      });
    };

    const noteForm = () => {
      const input = h('input');
      input.type = 'text';
      input.dataset.key = 'note';
      input.maxLength = 2000;
      input.setAttribute('aria-label', `Note on ${studio.count(size())} samples`);
      input.placeholder = `Note on ${studio.count(size())} ${size() === 1 ? 'sample' : 'samples'}; empty takes notes away`;
      const close = () => {
        state.noting = false;
        paint();
      };
      const save = () => {
        state.noting = false;
        send('note', {text: input.value.trim()});
      };
      input.addEventListener('keydown', (event) => {
        if (event.key === 'Enter' && !event.isComposing) save();
        if (event.key === 'Escape') {
          event.stopPropagation();
          close();
        }
      });
      return [input, studio.button('st-act', 'Save note', '', save), studio.button('st-link', 'Cancel', '', close)];
    };

    // What makes sense without ticks.
    const wholeList = (value) => {
      const found = (value.actions || []).find((action) => action.key === 'replace');
      if (!found) return null;
      const node = studio.button('st-link changes', `${found.label}…`, 'in the responses of this list', replace);
      node.dataset.key = 'replace';
      node.dataset.act = 'replace';
      return node;
    };

    const tools = () => {
      const {value} = state;
      if (!size())
        return [
          h(
            'span',
            'st-act-note',
            state.told || value.toolbar_note || 'Tick rows to act on them; shift-click ticks a range.',
          ),
          wholeList(value),
        ].filter(Boolean);
      const whole =
        value.ids.length > 0 && value.ids.every(has) && value.total > ids.size && !state.all && !state.noting;
      const counted = state.all ? `All ${studio.count(size())} of this list` : `${studio.count(size())} ticked`;
      bar.classList.toggle('tight', whole);
      const more = whole
        ? studio.button(
            'st-link',
            `Tick all ${studio.count(value.total)} in this list`,
            'also those on the other pages',
            () => {
              state.all = true;
              paint();
            },
          )
        : null;
      if (more) more.dataset.key = 'all';
      const none = studio.iconButton('st-act-none', 'cross', 'untick everything', () => {
        drop();
        paint();
      });
      const buttons = (value.actions || []).map((action) => {
        const node = studio.button(`st-act ${studio.tone(action.tone)}`, null, action.hint || action.label, () =>
          act(action.key),
        );
        node.setAttribute('aria-label', action.label);
        node.dataset.key = `act ${action.key}`;
        node.dataset.act = action.key;
        if (Object.hasOwn(studio.ICONS, action.key)) node.append(studio.icon(action.key));
        node.append(h('span', '', action.label));
        return node;
      });
      const told = state.told ? h('span', 'st-act-told', state.told) : null;
      told?.setAttribute('role', 'status');
      return [
        none,
        h('b', 'num', counted),
        more,
        ...(state.noting ? noteForm() : [told, h('div', 'st-acts', null, ...buttons)]),
      ].filter(Boolean);
    };

    // Ticks and bar as the state says.
    const paint = () => {
      const {value} = state;
      if (!value?.selectable) return;
      state.boxes.forEach((box, index) => {
        box.checked = has(value.ids[index]);
        box.closest('tr')?.classList.toggle('ticked', box.checked);
        box.closest('tr')?.setAttribute('aria-selected', String(box.checked));
      });
      if (state.head) {
        const ticked = value.ids.filter(has).length;
        state.head.checked = ticked > 0 && ticked === value.ids.length;
        state.head.indeterminate = ticked > 0 && ticked < value.ids.length;
      }
      bar.classList.toggle('on', size() > 0);
      // somebody who writes a note is not interrupted
      if (state.noting && size() && bar.querySelector('input')) return;
      studio.keepFocus(bar, () => bar.replaceChildren(...tools()));
    };

    const range = (index) => {
      const {value} = state;
      const from = value.ids.indexOf(state.anchor);
      const on = from < 0 ? !has(value.ids[index]) : has(state.anchor);
      const [low, high] = from < 0 ? [index, index] : [Math.min(from, index), Math.max(from, index)];
      for (let i = low; i <= high; i++) set(value.ids[i], on);
      if (from < 0) state.anchor = value.ids[index];
      paint();
    };

    const toggle = (index) => {
      const id = state.value.ids[index];
      set(id, !has(id));
      state.anchor = id;
      paint();
    };

    const box = (label) => {
      const node = h('input');
      node.type = 'checkbox';
      node.setAttribute('aria-label', label);
      return node;
    };

    return {
      bar,
      drop,
      paint,
      toggle,
      range,
      size,
      // A new page of rows; ticks are of one list and go with it.
      take(value) {
        const old = state.value?.list_key;
        state.value = value;
        state.boxes = [];
        state.head = null;
        bar.hidden = !value?.selectable;
        if (!value?.selectable || (old !== undefined && old !== value.list_key)) drop();
      },
      headCell() {
        state.head = box('tick this page');
        state.head.title = 'tick every row of this page';
        state.head.dataset.key = 'page';
        state.head.addEventListener('change', () => {
          const on = state.head.checked;
          if (!on) leaveAll();
          for (const id of state.value.ids) set(id, on);
          paint();
        });
        const th = h('th', 'st-tick', null, state.head);
        th.scope = 'col';
        return th;
      },
      cell(index, flags) {
        const node = box(`tick row ${index + 1}`);
        node.tabIndex = -1; // the row takes the keys; Space ticks
        state.boxes.push(node);
        const td = h('td', 'st-tick', null, node, ...flags);
        td.addEventListener('click', (event) => {
          event.stopPropagation();
          if (event.shiftKey) range(index);
          else toggle(index);
        });
        return td;
      },
    };
  };
})();
