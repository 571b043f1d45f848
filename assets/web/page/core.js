// What the components share: making elements, reading values, colours by name, the address bar.
// The first of the scripts that a browser gets as one file, before any component is started (components/page_files.py).
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

// One choice of a select or of a datalist.
studio.option = (value, label) => Object.assign(studio.h('option', '', label), {value});

// Small line drawings on a 16 x 16 grid, in the colour of the text around them.
studio.ICONS = {
  pin: 'M8 10.5V15M5 2h6M6 2v4.5L4 9.5v1h8v-1L10 6.5V2',
  exclude: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zM3.8 3.8l8.4 8.4',
  clear: 'M3 8h10',
  note: 'M3 2.5h10v8l-3 3H3zM10 13.5v-3h3M5.5 6h5M5.5 8.5h3',
  edited: 'M3 13l.6-2.8L10.8 3l2.2 2.2l-7.2 7.2zM9.3 4.5l2.2 2.2',
  replace: 'M3 5.5h8.5M9 3l2.5 2.5L9 8M13 10.5H4.5M7 8l-2.5 2.5L7 13',
  copy: 'M5.5 5.5h8v8h-8zM5.5 10.5h-3v-8h8v3',
  export: 'M8 2v8M4.8 7L8 10.2L11.2 7M2.5 13.5h11',
  search: 'M7 2.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 0 0 0-9zM10.4 10.4L14 14',
  cross: 'M4 4l8 8M12 4l-8 8',
  undo: 'M6 3L2.5 6.5L6 10M2.5 6.5H10a3.5 3.5 0 0 1 0 7H7',
  redo: 'M10 3l3.5 3.5L10 10M13.5 6.5H6a3.5 3.5 0 0 0 0 7h3',
  previous: 'M10 3L5 8l5 5',
  next: 'M6 3l5 5l-5 5',
  fold: 'M3.5 8h9',
  full: 'M9.5 2.5h4v4M13.5 2.5L9 7M6.5 13.5h-4v-4M2.5 13.5L7 9',
  small: 'M13.5 6.5h-4v-4M9.5 6.5L14 2M2.5 9.5h4v4M6.5 9.5L2 14',
  reset: 'M3 8a5 5 0 1 0 1.6-3.7M3 2.2v3h3',
};
studio.icon = (name) => {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('class', 'st-icon');
  svg.setAttribute('aria-hidden', 'true');
  path.setAttribute('d', Object.hasOwn(studio.ICONS, name) ? studio.ICONS[name] : '');
  svg.append(path);
  return svg;
};

// A button that is a drawing; its title is its name, too.
studio.iconButton = (className, icon, title, onclick) => {
  const node = studio.button(className, null, title, onclick);
  node.setAttribute('aria-label', title);
  node.append(studio.icon(icon));
  return node;
};

// A section that folds; which ones are open is remembered for as long as this browser tab is open.
studio.fold = (key, title, open, ...children) => {
  const {h} = studio;
  const summary = h('summary', '', null, title instanceof Node ? title : h('span', '', title));
  const node = h('details', 'st-fold', null, summary, h('div', 'st-fold-body', null, ...children));
  node.dataset.fold = key;
  node.open = JSON.parse(sessionStorage.getItem(`studio-fold-${key}`) ?? String(Boolean(open)));
  summary.dataset.key = `fold ${key}`;
  summary.addEventListener('click', () => sessionStorage.setItem(`studio-fold-${key}`, String(!node.open)));
  return node;
};

// Draws anew without losing the focus: it goes to the element with the same data-key, a field keeps its caret.
studio.keepFocus = (root, draw) => {
  const held = document.activeElement;
  const key = root.contains(held) ? held.dataset.key : undefined;
  const caret =
    key !== undefined && typeof held.selectionStart === 'number' ? [held.selectionStart, held.selectionEnd] : null;
  draw();
  if (key === undefined || document.activeElement === held) return;
  const next = held.isConnected ? held : root.querySelector(`[data-key="${CSS.escape(key)}"]`);
  next?.focus({preventScroll: true});
  if (caret && typeof next?.selectionStart === 'number') next.setSelectionRange(...caret);
};

// Whether who sits before the page may only look (role.js).
studio.looks = () => document.body.classList.contains('st-looks');

studio.visible = (node) => node.getClientRects().length > 0;

// Whether somebody writes in this element, so that letters are no commands.
studio.writes = (node) =>
  Boolean(node?.closest?.('textarea, select, [contenteditable], [role=combobox], [role=listbox]')) ||
  (node?.tagName === 'INPUT' && !['range', 'checkbox', 'radio', 'button'].includes(node.type));

// Text to the clipboard; where the page may not, by way of a text field. True where it worked.
studio.copy = async (text) => {
  if (window.isSecureContext && navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch (error) {
      if (error.name !== 'NotAllowedError') throw error;
    }
  }
  const held = document.activeElement;
  const area = studio.h('textarea', 'st-copy');
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  held?.focus?.({preventScroll: true});
  return done;
};

// Steps from sample to sample: walk(by). One at a time: the next goes out when the sample on screen has been drawn, with what
// was asked for meanwhile; two at once would both start from the same sample. sample() is the element that is drawn.
studio.walker = (trigger, sample) => {
  const PATIENCE = 1500; // ms after which a step no longer waits for the one before, which may have led nowhere
  let steps = 0;
  let timer = 0;
  return (by) => {
    steps += by;
    if (timer) return;
    const go = () => {
      clearTimeout(timer);
      drawn.disconnect();
      timer = 0;
      if (!steps) return;
      timer = setTimeout(go, PATIENCE);
      const node = sample();
      if (node) drawn.observe(node, {attributes: true, attributeFilter: ['data-rev']});
      trigger('step', {by: steps});
      steps = 0;
    };
    const drawn = new MutationObserver(go);
    go();
  };
};

studio.count = (n) => Number(n).toLocaleString('en');

// A short hash of a value: what tests wait for in data-rev.
studio.revision = (text) => {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
};

// What is drawn of a value that came with the page (`of_pool` in components/base.py): nothing of a pool that the address does
// not name.
const atFirst = (text) => {
  const about = /^\{"of":"([^"]*)","instead":(.*?),"value":/.exec(text);
  if (!about) return text;
  const named = new URL(location.href).searchParams.get('pool');
  return named && named !== about[1] ? about[2] : text.slice(about[0].length, -1);
};

// Calls draw(value, root) for the present value and for each later one, in order, and then writes data-rev.
// `watch` misses what was set before it was called, hence the first call. Of values with a number (iterit_ui/shared/answer_order.py) none is
// drawn that comes after one with a larger number: it answers an earlier question.
studio.mount = ({element, props, watch}, draw) => {
  const root = element.firstElementChild;
  let last = Promise.resolve();
  let newest = 0;
  let shown = null;
  const update = () => {
    let text = atFirst(props.value || 'null'); // JSON, see `PackedHTML` in components/base.py
    const number = /^\{"seq":(\d+),"value":/.exec(text);
    if (number) {
      if (Number(number[1]) < newest) return;
      newest = Number(number[1]);
      text = text.slice(number[0].length, -1);
      if (text === shown) return; // with another number; without one Gradio would not have told of it
    }
    shown = text;
    last = last
      .then(async () => {
        await draw(JSON.parse(text), root);
        root.dataset.rev = studio.revision(text);
      })
      .catch((error) => console.error('studio: drawing failed', error));
  };
  watch('value', update);
  update();
  return root;
};

// Calls whenever light and dark change. Other classes of the body say that something is awaited, several times a minute.
studio.onTheme = (callback) => {
  const {classList} = document.body;
  let dark = classList.contains('dark');
  new MutationObserver(() => {
    if (classList.contains('dark') === dark) return;
    dark = !dark;
    callback();
  }).observe(document.body, {attributes: true, attributeFilter: ['class']});
};

// Colours by the names of the page's variables. They are asked for hundreds of times while the page is being drawn, and each
// time the browser would first bring its styles up to date; they change with the theme only.
const colours = new Map();
studio.onTheme(() => colours.clear()); // before those who draw with them
studio.colour = (name) => {
  if (!colours.has(name)) {
    const found = getComputedStyle(document.body).getPropertyValue(name).trim();
    if (!found) return name; // the style sheets may still be under way
    colours.set(name, found);
  }
  return colours.get(name);
};

// A tone is one of the statuses' names; anything else would become a class of the data's choosing.
studio.TONES = ['pool', 'candidate', 'selected', 'pinned', 'rejected', 'unscorable', 'plain', 'good', 'bad'];
studio.tone = (name) => (studio.TONES.includes(name) ? `tone-${name}` : 'tone-plain');
studio.token = (name) => (/^--[a-z0-9-]+$/.test(name || '') ? `var(${name})` : 'var(--pool)');

studio.bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
studio.base64 = (bytes) => {
  let text = '';
  for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
  return btoa(text);
};

// What the colours of a chart, or of several, mean.
studio.legend = (items) => {
  const {h} = studio;
  const legend = h('ul', 'st-legend');
  for (const item of items || []) {
    const mark = h(
      'span',
      `st-mark${item.hatched ? ' hatched' : ''}${item.line ? ' line' : ''}${['dash', 'dot'].includes(item.dash) ? ` ${item.dash}` : ''}`,
    );
    mark.style.setProperty('--mark', studio.token(item.colour));
    const node = h(
      'li',
      item.line ? 'line' : '',
      null,
      mark,
      h('span', '', item.label),
      item.value !== undefined ? h('b', 'num', item.value) : null,
    );
    if (item.label.length > 24) node.title = item.label;
    legend.append(node);
  }
  return legend;
};

// Title, note and legend above a chart or a map. In a workbench the note is behind a "?", and what the x axis shows stands
// behind the title.
studio.head = (root, value) => {
  const {h} = studio;
  const head = root.querySelector('.st-chart-head');
  const legend = studio.legend(value.legend);
  const note = value.note ? h('p', '', value.note) : null;
  const title = value.title ? h('h3', '', value.title) : null;
  if (root.closest('.bench')) {
    const axis = value.short || value.layout?.xaxis?.title?.text;
    if (title && axis && root.closest('.dense')) title.append(h('small', '', axis));
    if (title) title.title = title.textContent;
    if (note && title) {
      const more = studio.button('st-more', '?', 'what this shows', () => {
        head.classList.toggle('told');
        more.setAttribute('aria-expanded', String(head.classList.contains('told')));
      });
      more.setAttribute('aria-label', `help on ${value.title}`);
      more.setAttribute('aria-expanded', String(head.classList.contains('told')));
      more.dataset.key = 'head help';
      title.append(more);
    }
  } else if (note) note.title = value.note; // two lines are shown
  studio.keepFocus(head, () =>
    head.replaceChildren(...[title, note, legend.children.length ? legend : null].filter(Boolean)),
  );
};
