// Headings, cards, notes and the status of a job.
(() => {
  const {h} = studio;

  studio.heading = (context) => studio.mount(context, (value, root) => {
    root.className = `st-heading level-${value?.level === 2 ? 2 : 1}`;
    root.replaceChildren(...(value ? [h(value.level === 2 ? 'h3' : 'h2', '', value.title), value.text ? h('p', '', value.text) : ''] : []));
  });

  studio.cards = (context) => studio.mount(context, (value, root) => {
    root.replaceChildren(...(value?.cards || []).map((card) => {
      const figure = h('div', 'st-figure', null, h('span', 'num', card.value), card.unit ? h('span', 'st-unit', card.unit) : null,
        card.delta ? h('span', 'st-delta', card.delta) : null);
      const node = h('div', `st-card panel ${studio.tone(card.tone)}`, null, h('div', 'st-label', card.label), figure,
        card.hint ? h('div', 'st-hint', card.hint) : null);
      node.dataset.label = card.label;
      return node;
    }));
  });

  studio.note = (context) => studio.mount(context, (value, root) => {
    const host = context.element.closest('.block') || context.element;
    host.classList.toggle('st-gone', !value);
    root.className = `st-note ${['info', 'empty', 'warn', 'error', 'good'].includes(value?.tone) ? value.tone : 'info'}`;
    if (!value) return root.replaceChildren();
    root.setAttribute('role', value.tone === 'error' ? 'alert' : 'status');
    const steps = h('ol');
    for (const step of value.steps || []) steps.append(h('li', '', step));
    root.replaceChildren(...[value.title ? h('b', '', value.title) : null, value.text ? h('p', '', value.text) : null,
      steps.children.length ? steps : null].filter(Boolean));
  });

  studio.status = (context) => studio.mount(context, (value, root) => {
    (context.element.closest('.block') || context.element).classList.toggle('st-gone', !value);
    const states = ['queued', 'running', 'stopping', 'stopped', 'failed', 'done', 'idle'];
    root.className = `st-status panel ${states.includes(value?.state) ? value.state : 'idle'}`;
    if (!value) return root.replaceChildren();
    const stages = h('ol', 'st-stages');
    for (const stage of value.stages || []) {
      const node = h('li', ['done', 'now'].includes(stage.state) ? stage.state : 'next', stage.label);
      if (stage.state === 'now') node.setAttribute('aria-current', 'step');
      stages.append(node);
    }
    const bar = h('div', 'st-bar', null, h('i'));
    const part = value.total ? Math.min(1, value.done / value.total) : null;
    if (part === null) bar.classList.add('unknown'); else bar.firstChild.style.width = `${(100 * part).toFixed(1)}%`;
    bar.setAttribute('role', 'progressbar');
    const count = value.total ? `${value.done.toLocaleString('en')} of ${value.total.toLocaleString('en')} ${value.unit || ''}` : '';
    const moving = ['queued', 'running', 'stopping'].includes(value.state);
    root.replaceChildren(...[
      h('div', 'st-status-top', null, h('span', 'st-state', value.state), h('b', '', value.title || ''), h('span', 'st-eta', value.eta || '')),
      stages.children.length ? stages : null, moving ? bar : null,
      h('div', 'st-status-foot', null, h('span', '', value.text || ''), h('span', 'num', moving ? count : '')),
      value.error ? h('pre', 'st-error', value.error) : null].filter(Boolean));
  });

  // The page's header: name, and the switch between light and dark (remembered in this browser).
  studio.header = ({element}) => {
    const stored = localStorage.getItem('studio-theme');
    if (stored && !new URL(location.href).searchParams.has('__theme')) document.body.classList.toggle('dark', stored === 'dark');
    const button = element.querySelector('.st-theme');
    const show = () => button.setAttribute('aria-label', document.body.classList.contains('dark') ? 'Switch to light' : 'Switch to dark');
    button.addEventListener('click', () => {
      const dark = document.body.classList.toggle('dark');
      localStorage.setItem('studio-theme', dark ? 'dark' : 'light');
      show();
    });
    show();
    element.firstElementChild.dataset.rev = '1';
  };
})();
