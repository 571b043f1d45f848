// What the components share: making elements, reading values, colours by name, the address bar.
// Loaded through a component's head=, once per page, before any component is started.
window.studio = window.studio || {};

// An element with a class and text; children may be null. Text is never parsed as HTML.
studio.h = (tag, className = '', text = null, ...children) => {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== null && text !== undefined) node.textContent = String(text);
  node.append(...children.filter((child) => child));
  return node;
};

studio.button = (className, text, title, onclick) => {
  const node = studio.h('button', className, text);
  node.type = 'button';
  if (title) node.title = title;
  node.addEventListener('click', onclick);
  return node;
};

// A short hash of a value: what tests wait for in data-rev.
studio.revision = (text) => {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
};

// Calls draw(value, root) for the present value and for each later one, in order, and then writes data-rev.
// `watch` misses what was set before it was called, hence the first call.
studio.mount = ({element, props, watch}, draw) => {
  const root = element.firstElementChild;
  let last = Promise.resolve();
  const update = () => {
    const text = JSON.stringify(props.value ?? null);
    last = last.then(async () => {
      await draw(JSON.parse(text), root);
      root.dataset.rev = studio.revision(text);
    }).catch((error) => console.error('studio: drawing failed', error));
  };
  watch('value', update);
  update();
  return root;
};

studio.colour = (name) => getComputedStyle(document.body).getPropertyValue(name).trim() || name;

// A tone is one of the statuses' names; anything else would become a class of the data's choosing.
studio.TONES = ['pool', 'candidate', 'selected', 'pinned', 'rejected', 'unscorable', 'plain', 'good', 'bad'];
studio.tone = (name) => (studio.TONES.includes(name) ? `tone-${name}` : 'tone-plain');
studio.token = (name) => (/^--[a-z0-9-]+$/.test(name || '') ? `var(${name})` : 'var(--pool)');

studio.onTheme = (callback) => {
  new MutationObserver(callback).observe(document.body, {attributes: true, attributeFilter: ['class']});
};

studio.bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
studio.base64 = (bytes) => {
  let text = '';
  for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
  return btoa(text);
};

// Title, note and legend above a chart or a map.
studio.head = (root, value) => {
  const {h} = studio;
  const head = root.querySelector('.st-chart-head');
  const legend = h('ul', 'st-legend');
  for (const item of value.legend || []) {
    const mark = h('span', `st-mark${item.hatched ? ' hatched' : ''}${item.line ? ' line' : ''}`);
    mark.style.setProperty('--mark', studio.token(item.colour));
    legend.append(h('li', '', null, mark, h('span', '', item.label),
      item.value !== undefined ? h('b', 'num', item.value) : null));
  }
  const note = value.note ? h('p', '', value.note) : null;
  if (note) note.title = value.note; // two lines are shown
  head.replaceChildren(
    ...[value.title ? h('h3', '', value.title) : null, note,
      legend.children.length ? legend : null].filter(Boolean));
};

// The address bar mirrors the session; written only after it has been read (the first value is null).
studio.address = (context) => studio.mount(context, (value) => {
  if (!value) return;
  // the tab that is open here wins: somebody may have clicked before the page had started
  value.tab = document.querySelector('#steps button[role=tab][aria-selected=true]')?.dataset.tabId || value.tab;
  const url = new URL(location.href);
  for (const key of [...url.searchParams.keys()]) if (!key.startsWith('__')) url.searchParams.delete(key);
  for (const [key, item] of Object.entries(value)) url.searchParams.set(key, item);
  if (url.href !== location.href) history.replaceState(history.state, '', url);
});
