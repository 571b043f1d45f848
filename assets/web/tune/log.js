// A run's log: only the rows in sight are fetched, so its length does not matter. It follows the end until somebody
// scrolls away from it, and stays where it is read.
(() => {
  const {h} = studio;
  const ROW = 19; // px
  const AROUND = 60; // rows fetched beyond what can be seen
  const PAUSE = 250; // ms without a key after which is searched

  studio.log = (context) => {
    const {server} = context;
    const state = {
      run: '',
      total: 0,
      stamp: '',
      follow: true,
      words: '',
      count: 0,
      hits: [],
      at: -1,
      asked: 0,
      first: 0,
      rows: [],
    };
    const input = h('input');
    const told = h('span', 'num');
    const pane = h('div', 'st-log-pane');
    const inner = h('div', 'st-log-inner');
    const box = h('div', 'st-log-rows');
    const follow = studio.button('st-action', 'Follow the end', 'show what comes as it comes', () => {
      state.follow = true;
      toEnd();
    });
    const step = (by, icon, title) => studio.iconButton('st-step', icon, title, () => go(by));
    input.type = 'search';
    input.placeholder = 'Find in the whole log';
    input.setAttribute('aria-label', 'Find in the whole log');
    pane.tabIndex = 0;
    pane.setAttribute('role', 'log');
    pane.setAttribute('aria-label', 'what happened, and what the worker printed');
    inner.append(box);
    pane.append(inner);
    const empty = h('div', 'st-empty');
    const head = h(
      'div',
      'st-log-head',
      null,
      h('h3', '', 'Log'),
      h('div', 'st-search', null, studio.icon('search'), input),
      told,
      step(-1, 'previous', 'match before'),
      step(1, 'next', 'next match'),
      h('span', 'st-log-room'),
      follow,
      studio.button('st-action', 'Download', 'the whole log as a file', () => context.trigger('download', {})),
    );

    const marked = (text) => {
      const node = h('span');
      const words = state.words.toLowerCase();
      let at = 0;
      const low = text.toLowerCase();
      for (let found = words ? low.indexOf(words) : -1; found >= 0; found = low.indexOf(words, at)) {
        node.append(text.slice(at, found), h('mark', '', text.slice(found, found + words.length)));
        at = found + words.length;
      }
      node.append(text.slice(at));
      return node;
    };
    const paint = () => {
      box.style.transform = `translateY(${state.first * ROW}px)`;
      box.replaceChildren(
        ...state.rows.map((row, index) => {
          const kind = /^[a-z]+$/.test(row.kind) ? row.kind : '';
          const node = h(
            'div',
            `st-log-row${kind ? ` event ${kind}` : ''}${state.hits[state.at] === state.first + index ? ' here' : ''}`,
            null,
            kind ? h('em', '', kind) : null,
            marked(row.text),
          );
          return node;
        }),
      );
    };
    const fetch = async () => {
      if (!pane.clientHeight || !state.run) return;
      const start = Math.max(0, Math.floor(pane.scrollTop / ROW) - AROUND);
      const count = Math.ceil(pane.clientHeight / ROW) + 2 * AROUND;
      const asked = ++state.asked;
      const found = await server.rows([state.run, start, count]);
      if (asked !== state.asked || !found || found.error) return;
      Object.assign(state, {first: start, rows: found.rows});
      paint();
    };
    const toEnd = () => {
      pane.scrollTop = pane.scrollHeight;
      fetch();
    };
    const say = () => {
      told.textContent = !state.words
        ? ''
        : !state.count
          ? 'no match'
          : `${state.at >= 0 ? `${studio.count(state.at + 1)} of ` : ''}${studio.count(state.count)} ${state.count === 1 ? 'match' : 'matches'}${state.hits.length < state.count ? `, the first ${studio.count(state.hits.length)} can be stepped through` : ''}`;
    };
    const find = async (jump) => {
      const words = input.value;
      state.words = words;
      if (!words) {
        Object.assign(state, {count: 0, hits: [], at: -1});
        say();
        return paint();
      }
      const found = await server.find([state.run, words]);
      if (words !== input.value || !found) return;
      Object.assign(state, {count: found.count || 0, hits: found.rows || []});
      if (jump) {
        state.at = -1;
        if (state.count) go(1);
      }
      say();
      paint();
    };
    const go = (by) => {
      if (!state.hits.length) return;
      const here = Math.floor(pane.scrollTop / ROW);
      if (state.at < 0) {
        const next = state.hits.findIndex((row) => row >= here);
        state.at = next < 0 ? 0 : next;
      } else state.at = (state.at + by + state.hits.length) % state.hits.length;
      state.follow = false;
      pane.scrollTop = Math.max(0, state.hits[state.at] * ROW - pane.clientHeight / 2);
      say();
      fetch();
    };
    let timer = 0;
    input.addEventListener('input', () => {
      clearTimeout(timer);
      timer = setTimeout(() => find(true), PAUSE);
    });
    input.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') {
        event.preventDefault();
        go(event.shiftKey ? -1 : 1);
      }
      if (event.key === 'Escape') {
        input.value = '';
        find(false);
      }
    });
    let scrolled = 0;
    pane.addEventListener('scroll', () => {
      state.follow = pane.scrollTop + pane.clientHeight >= pane.scrollHeight - 2 * ROW;
      follow.classList.toggle('on', state.follow);
      cancelAnimationFrame(scrolled);
      scrolled = requestAnimationFrame(fetch);
    });
    new ResizeObserver(() => (state.follow ? toEnd() : fetch())).observe(pane);

    studio.mount(context, (value, root) => {
      (context.element.closest('.block') || context.element).classList.toggle('st-gone', !value);
      root.className = 'st-log panel';
      if (!value) return root.replaceChildren();
      if (!root.contains(head)) root.replaceChildren(head, pane, empty);
      if (value.run !== state.run) {
        Object.assign(state, {follow: true, rows: [], at: -1, hits: [], count: 0});
        pane.scrollTop = 0;
      }
      Object.assign(state, {run: value.run, total: value.total, stamp: value.stamp});
      pane.hidden = !value.total;
      empty.hidden = Boolean(value.total);
      empty.textContent = value.waiting || '';
      inner.style.height = `${value.total * ROW}px`;
      follow.classList.toggle('on', state.follow);
      if (state.words) find(false);
      return state.follow ? toEnd() : fetch();
    });
  };
})();
