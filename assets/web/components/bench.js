// A workbench: panels that share the window's height. What somebody has widened, folded away or made as large as the window
// is remembered by this browser.
(() => {
  const {h} = studio;
  const STEP = 24; // px, of an arrow key on a divider
  const LEAST = 160; // px, of a panel that is dragged

  // What this browser keeps of a workbench; nothing where that is not what was written.
  const remembered = (store) => {
    try {
      const kept = JSON.parse(localStorage.getItem(store));
      return kept?.sizes && kept.view && Array.isArray(kept.folded) ? kept : {};
    } catch {
      return {};
    }
  };

  studio.bench = ({element, props}) => {
    const {key: name, panels} = JSON.parse(props.value);
    const root = element.closest('.bench');
    const store = `studio-bench-${name}`;
    const kept = {sizes: {}, folded: [], full: '', view: {}, ...remembered(store)};
    const save = () => localStorage.setItem(store, JSON.stringify(kept));
    const made = new Map(); // key -> {panel, node, fold, full, strip, tabs}

    const show = () => {
      const known = made.get(kept.full) ? kept.full : '';
      root.classList.toggle('full', Boolean(known));
      for (const [key, {panel, node, fold, full, tabs}] of made) {
        const folded = kept.folded.includes(key) && known !== key;
        node.classList.toggle('folded', folded);
        root.classList.toggle(`fold-${key}`, folded);
        node.classList.toggle('filling', known === key);
        const size = kept.sizes[key];
        if (size) root.style.setProperty(`--${key}`, `${size}px`);
        else root.style.removeProperty(`--${key}`);
        if (fold) fold.hidden = Boolean(known);
        if (full) {
          const words = known ? 'back to all panels (Esc)' : `${panel.title} as large as the window`;
          full.title = words;
          full.setAttribute('aria-label', words);
          full.replaceChildren(studio.icon(known ? 'small' : 'full'));
        }
        for (const tab of tabs) {
          const on = tab.dataset.view === viewed(panel);
          tab.setAttribute('aria-pressed', String(on));
          document.getElementById(tab.dataset.view)?.toggleAttribute('data-bench-away', !on);
        }
      }
      root.dispatchEvent(new CustomEvent('studio-bench'));
    };
    const viewed = (panel) => panel.views.find((view) => view.id === kept.view[panel.key])?.id || panel.views[0].id;
    const change = (act) => {
      act();
      save();
      show();
    };
    const toggle = (key) =>
      change(() => {
        kept.folded = kept.folded.includes(key) ? kept.folded.filter((other) => other !== key) : [...kept.folded, key];
      });
    const fill = (key) =>
      change(() => {
        kept.full = kept.full ? '' : key;
      });

    // The edge that a panel is dragged by.
    const divider = (panel, node) => {
      const flat = panel.divider === 'top' || panel.divider === 'bottom'; // it moves up and down
      const sign = panel.divider === 'right' || panel.divider === 'bottom' ? 1 : -1;
      const edge = h('div', `bench-divider ${panel.divider}`);
      const size = () => (flat ? node.offsetHeight : node.offsetWidth);
      const most = () => (flat ? root.clientHeight : root.clientWidth) * 0.7;
      const set = (px) => {
        kept.sizes[panel.key] = Math.round(Math.max(LEAST, Math.min(most(), px)));
        root.style.setProperty(`--${panel.key}`, `${kept.sizes[panel.key]}px`);
        edge.setAttribute('aria-valuenow', kept.sizes[panel.key]);
      };
      const words = `${flat ? 'Height' : 'Width'} of ${panel.title}`;
      Object.assign(edge, {tabIndex: 0, title: `${words}: drag, or use the arrow keys; a double click resets it`});
      edge.setAttribute('role', 'separator');
      edge.setAttribute('aria-orientation', flat ? 'horizontal' : 'vertical');
      edge.setAttribute('aria-label', words);
      let press = null;
      edge.addEventListener('pointerdown', (event) => {
        if (event.button !== 0) return;
        event.preventDefault();
        press = {at: flat ? event.clientY : event.clientX, size: size(), moved: false};
        edge.setPointerCapture(event.pointerId);
        edge.classList.add('held');
      });
      edge.addEventListener('pointermove', (event) => {
        if (!press) return;
        const by = (flat ? event.clientY : event.clientX) - press.at;
        press.moved ||= Math.abs(by) > 2;
        if (press.moved) set(press.size + sign * by);
      });
      for (const end of ['pointerup', 'pointercancel']) {
        edge.addEventListener(end, () => {
          edge.classList.remove('held');
          if (press?.moved) save();
          press = null;
        });
      }
      const reset = () =>
        change(() => {
          delete kept.sizes[panel.key];
        });
      edge.addEventListener('dblclick', reset);
      edge.addEventListener('keydown', (event) => {
        const by = (flat ? {ArrowDown: 1, ArrowUp: -1} : {ArrowRight: 1, ArrowLeft: -1})[event.key];
        if (event.key === 'Delete' || event.key === 'Backspace') reset();
        else if (by) {
          set(size() + sign * by * STEP);
          save();
        } else return;
        event.preventDefault();
        event.stopPropagation();
      });
      return edge;
    };

    const build = (panel, node) => {
      const {key, title} = panel;
      const fold =
        panel.fold === false ? null : studio.iconButton('bench-tool', 'fold', `fold away: ${title}`, () => toggle(key));
      const full = panel.full ? studio.iconButton('bench-tool', 'full', title, () => fill(key)) : null;
      const tools = h('div', 'bench-tools', null, fold, full);
      const tabs = (panel.views || []).map((view) => {
        const tab = studio.button('bench-tab', view.label, '', () =>
          change(() => {
            kept.view[key] = view.id;
          }),
        );
        tab.dataset.view = view.id;
        return tab;
      });
      const strip = studio.button('bench-strip', null, `show ${title}`, () => toggle(key));
      strip.setAttribute('aria-label', `show ${title}`);
      strip.append(studio.icon('next'), h('span', '', title));
      strip.classList.toggle('row', panel.strip === 'row');
      const first = tabs.length
        ? h('div', 'bench-bar', null, h('div', 'bench-tabs', null, ...tabs), tools)
        : panel.bar
          ? h('div', 'bench-bar', null, h('h3', '', title), tools)
          : tools;
      // at the end, as Gradio's own children stand before; `order` puts them first
      node.append(first, strip, ...(panel.divider ? [divider(panel, node)] : []));
      made.set(key, {panel, node, fold, full, tabs});
    };

    // Gradio may put panels and what is in them into the page after this
    let shown = 0;
    const find = () => {
      const found = panels.filter(({key}) => !made.get(key)?.node.isConnected && root.querySelector(`.bench-${key}`));
      for (const panel of found) build(panel, root.querySelector(`.bench-${panel.key}`));
      const views = panels.flatMap((panel) => panel.views || []).filter((view) => document.getElementById(view.id));
      if (found.length || views.length !== shown) show();
      shown = views.length;
    };
    const late = new MutationObserver(find);
    late.observe(root, {childList: true, subtree: true});
    find();
    document.addEventListener(
      'keydown',
      (event) => {
        if (event.key !== 'Escape' || !kept.full || !studio.visible(root)) return;
        if (studio.writes(event.target) || event.target.closest?.('dialog')) return;
        event.preventDefault();
        event.stopPropagation();
        fill(kept.full);
      },
      true,
    );
    element.firstElementChild.dataset.rev = '1';
  };
})();
