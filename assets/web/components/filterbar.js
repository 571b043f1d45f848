// What map, charts and table show: a search, the filter's parts as chips, and how many samples that leaves.
(() => {
  const {h} = studio;
  const number = (n) => n.toLocaleString('en');

  studio.filterbar = (context) => {
    const root = context.element.firstElementChild;
    const search = studio.searchField((text) => context.trigger('search', {text}));
    const chips = h('div', 'st-chips');
    const count = h('div', 'st-filter-count num');
    root.append(search.node, chips, count);
    studio.mount(context, (value) => {
      root.className = 'st-filterbar panel';
      root.hidden = !value;
      if (!value) return;
      search.draw(value.search);
      studio.keepFocus(chips, () => studio.chips(chips, value.chips, context.trigger));
      count.textContent =
        value.count === null
          ? `all ${number(value.total)} samples`
          : `${number(value.count)} of ${number(value.total)} samples, ${number(value.picked)} of them selected`;
    });
  };
})();
