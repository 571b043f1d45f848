// The presets of a run, each with what it is for.
(() => {
  const {h} = studio;

  // on(name) where somebody chooses one; show(name) marks the one that is chosen. told : a line beside the title.
  studio.tunePresets = (presets, on, told) => {
    const inputs = new Map();
    const rows = presets.map((one) => {
      const input = h('input');
      Object.assign(input, {type: 'radio', name: 'tune-preset', value: one.name});
      input.addEventListener('change', () => on(one.name));
      inputs.set(one.name, input);
      return h('label', 'st-preset', null, input, h('span', '', null, h('b', '', one.label), h('small', '', one.help)));
    });
    const node = h(
      'div',
      'st-presets',
      null,
      h('div', 'st-presets-title', null, h('span', '', 'Preset'), told),
      ...rows,
    );
    node.id = 'tune-preset';
    node.setAttribute('role', 'radiogroup');
    node.setAttribute('aria-label', 'Preset');
    return {
      node,
      show(name) {
        for (const [own, input] of inputs) {
          input.checked = own === name;
          input.parentElement.classList.toggle('chosen', own === name);
        }
      },
    };
  };
})();
