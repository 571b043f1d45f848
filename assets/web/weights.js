// One slider per source of the pool; 0 leaves the source out.
(() => {
  const {h} = studio;
  studio.weights = (context) => studio.mount(context, (value, root) => {
    root.className = 'st-weights';
    if (!value || value.sources.length < 2) return root.replaceChildren();
    const list = h('ul');
    value.sources.forEach((source, index) => {
      const dot = h('i', 'st-dot');
      dot.style.background = studio.token(source.colour);
      const range = h('input');
      Object.assign(range, {type: 'range', min: 0, max: 3, step: 0.1, value: source.weight});
      range.setAttribute('aria-label', `weight of ${source.name}`);
      const shown = h('output');
      const row = h('li', '', null, dot, h('span', '', source.name, h('small', '', source.count)), range, shown);
      const show = () => {
        shown.textContent = Number(range.value).toFixed(1);
        row.classList.toggle('off', Number(range.value) === 0);
      };
      let timer = 0;
      range.addEventListener('input', () => {
        show();
        clearTimeout(timer);
        timer = setTimeout(() => context.trigger('weigh', {index, weight: Number(range.value)}), 120);
      });
      row.title = source.name;
      show();
      list.append(row);
    });
    root.replaceChildren(h('div', 'st-weights-title', value.title), h('div', 'st-hint', value.hint), list);
  });
})();
