// A chart with, below it, a row of buttons that name its parts with their counts, and beside its title a choice of what
// it is compared with. The chart is the usual one.
(() => {
  const {h} = studio;

  studio.choices = (context) => {
    studio.chart(context);
    const {trigger} = context;

    const pill = (item, on) => {
      const node = studio.button('st-choice', null, item.hint || item.label, () => trigger('choice', {key: item.key}));
      const mark = h('span', `st-mark${item.hatched ? ' hatched' : ''}`);
      mark.style.setProperty('--mark', studio.token(item.colour));
      if (item.colour) node.append(mark);
      node.append(h('span', '', item.label), h('b', 'num', item.count));
      if (item.share) node.append(h('span', 'num', item.share));
      node.setAttribute('aria-pressed', String(item.key === on));
      node.dataset.key = `choice ${item.key}`;
      node.disabled = Boolean(item.disabled);
      return node;
    };

    const draw = (value, root) => {
      const box = root.querySelector('.st-choices');
      box.hidden = !value?.choices?.length;
      box.replaceChildren(...(value?.choices || []).map((item) => pill(item, value.on)));
      const against = root.querySelector('.st-against');
      const options = value?.against?.options || [];
      against.hidden = options.length < 2;
      if (against.hidden) return;
      const select = h('select');
      select.append(...options.map(({key, label}) => studio.option(key, label)));
      select.value = value.against.value;
      select.dataset.key = 'against';
      select.addEventListener('change', () => trigger('against', {key: select.value}));
      against.replaceChildren(h('label', 'st-map-mode', null, h('span', '', value.against.label), select));
    };
    studio.mount(context, (value, root) => studio.keepFocus(root, () => draw(value, root)));
  };
})();
