// The Data tab's own parts, on the side of what a pool holds: the list that the table shows, with what can be done
// about it, and the most frequent beginnings of responses.
(() => {
  const {h} = studio;

  const PATIENCE = 1500; // ms after which an answer is no longer waited for

  // A slider that stays the same element while its value is dragged: a new one would lose the pointer. One value at a
  // time is under way, and of those that wait only the latest is sent: answers to many could come in another order, and
  // the list would end at a value that the slider does not show.
  const slider = (trigger) => {
    let sent = null;
    let waiting = null;
    let timer = 0;
    const pump = () => {
      if (sent !== null || waiting === null) return;
      sent = waiting;
      waiting = null;
      timer = setTimeout(() => {
        sent = null;
        pump();
      }, PATIENCE);
      trigger('threshold', {value: sent});
    };
    const input = h('input');
    input.type = 'range';
    const output = h('output', 'num');
    const name = h('span', '');
    const box = h('label', 'st-near', null, name, input, output);
    const show = () => {
      output.textContent = Number(input.value).toFixed(2);
    };
    input.addEventListener('input', () => {
      show();
      waiting = Number(input.value);
      pump();
    });
    box.show = (given) => {
      name.textContent = given.label;
      box.title = given.hint || '';
      input.setAttribute('aria-label', given.label);
      for (const key of ['min', 'max', 'step']) input[key] = given[key];
      if (sent !== null && Math.abs(given.value - sent) < 1e-9) {
        clearTimeout(timer);
        sent = null;
        pump();
      }
      // what the person gave stays until the server has it; then the slider shows what is listed
      if (sent === null) input.value = given.value;
      show();
    };
    return box;
  };

  // A list that a click on a card or chart opens is brought into view when its head has been drawn.
  let opening = false;
  document.addEventListener(
    'click',
    (event) => {
      if (event.target.closest?.('#data-cards button, #openings button, #sources-chart')) opening = true;
    },
    true,
  );

  // {title, text, slider: null | {label, hint, min, max, step, value}, buttons: [{key, label, hint, tone, off}],
  //  done: null | {text, undo: label}}; events `do` {key}, `threshold` {value}, `undo` {}
  studio.finding = (context) => {
    const {trigger} = context;
    const words = h('div', 'st-finding-words');
    const near = slider(trigger);
    const deeds = h('div', 'st-finding-deeds changes');
    const done = h('div', 'st-finding-done changes');
    done.setAttribute('role', 'status');
    context.element.firstElementChild.append(words, near, deeds, done);
    studio.mount(context, (value, root) => {
      (context.element.closest('.block') || context.element).classList.toggle('st-gone', !value);
      root.className = 'st-finding panel';
      words.replaceChildren(...(value ? [h('h3', '', value.title), value.text ? h('p', '', value.text) : ''] : []));
      near.hidden = !value?.slider;
      if (value?.slider) near.show(value.slider);
      deeds.replaceChildren(
        ...(value?.buttons || []).map((item) => {
          const button = studio.button(
            `st-action ${item.tone === 'exclude' ? 'exclude' : ''}`,
            item.label,
            item.hint,
            () => trigger('do', {key: item.key}),
          );
          button.disabled = Boolean(item.off);
          button.dataset.deed = item.key;
          return button;
        }),
      );
      deeds.hidden = !deeds.children.length;
      done.replaceChildren(
        ...(value?.done
          ? [
              h('span', '', value.done.text),
              value.done.undo
                ? studio.button('st-action undo', value.done.undo, 'take this back', () => trigger('undo', {}))
                : '',
            ]
          : []),
      );
      done.hidden = !value?.done;
      if (opening && value) requestAnimationFrame(() => root.scrollIntoView({block: 'nearest'}));
      opening = false;
    });
  };

  // {title, note, items: [{key, label, count, share, tone, tag}], on, empty}; event `pick` {key}
  studio.ranking = (context) =>
    studio.mount(context, (value, root) => {
      root.className = 'st-ranking panel';
      if (!value) return root.replaceChildren();
      const top = root.querySelector('ol')?.scrollTop || 0;
      const head = h(
        'div',
        'st-chart-head',
        null,
        h('h3', '', value.title),
        value.note ? h('p', '', value.note) : null,
      );
      if (!value.items?.length) return root.replaceChildren(head, h('div', 'st-empty', value.empty || ''));
      const list = h('ol');
      for (const item of value.items) {
        const on = item.key === value.on;
        const button = studio.button(on ? 'on' : '', null, item.label, () => context.trigger('pick', {key: item.key}));
        button.setAttribute('aria-pressed', String(on));
        const bar = h('i', item.tone === 'rejected' ? 'bad' : '');
        bar.style.width = `${(100 * Math.max(0.01, Math.min(1, item.share || 0))).toFixed(1)}%`;
        button.append(
          h('span', 'st-ranking-label', item.label),
          item.tag ? h('em', '', item.tag) : '',
          h('b', 'num', item.count),
          h('span', 'st-ranking-bar', null, bar),
        );
        list.append(h('li', '', null, button));
      }
      root.replaceChildren(head, list);
      list.scrollTop = top;
    });
})();
