// Steps and plays through the epochs of a run. One step is under way at a time: what is pressed meanwhile moves the
// wish, and only the last wish is asked for, so that no press is lost and none waits in a queue.
(() => {
  const {h} = studio;
  const STAND = 1400; // ms that an epoch stands while they play, counted from when it is drawn
  const PATIENCE = 20000; // ms after which an answer that did not come is given up

  studio.player = (context) => {
    const {trigger} = context;
    let value = null;
    let shown = 0; // places in value.epochs: what is on screen, and what is wished for
    let wished = 0;
    let seq = Date.now() % 1e9; // no answer to an earlier page counts
    let asked = 0; // the number of the step that is under way, 0 for none
    let late = 0;
    let playing = false;
    let beat = 0;
    let parts = null;

    const last = () => (value?.epochs?.length || 1) - 1;

    const paint = () => {
      const {epochs, planned} = value;
      const [range, words] = [parts.range, parts.words];
      range.max = String(Math.max(1, last()));
      range.value = String(wished);
      range.disabled = last() < 1;
      range.style.setProperty('--part', `${last() ? (100 * wished) / last() : 0}%`);
      range.setAttribute('aria-valuetext', `epoch ${epochs[wished]}`);
      words.replaceChildren(
        h('b', 'num', `Epoch ${epochs[wished]}`),
        h(
          'span',
          '',
          planned > epochs.length
            ? `${studio.count(epochs.length)} of ${studio.count(planned)} so far`
            : `of 0 to ${epochs[last()]}`,
        ),
      );
      parts.back.disabled = wished <= 0;
      parts.forth.disabled = wished >= last();
      parts.play.disabled = last() < 1;
      parts.play.textContent = playing ? 'Pause' : 'Play';
      parts.play.setAttribute('aria-pressed', String(playing));
      parts.ticks.replaceChildren(
        ...(epochs.length > 40 ? [] : epochs).map((epoch, at) => {
          const tick = h('i', at === wished ? 'on' : '');
          tick.style.left = `${last() ? (100 * at) / last() : 0}%`;
          return tick;
        }),
      );
    };

    const pause = () => {
      clearTimeout(beat);
      beat = 0;
      playing = false;
    };

    const ask = () => {
      if (asked || wished === shown) return;
      seq += 1;
      asked = seq;
      clearTimeout(late);
      late = setTimeout(() => {
        asked = 0;
        wished = shown;
        pause();
        paint();
      }, PATIENCE);
      trigger('go', {epoch: value.epochs[wished], seq});
    };

    const go = (at) => {
      wished = Math.max(0, Math.min(last(), at));
      paint();
      ask();
    };

    // The next epoch once the present one has been seen for a while; the last one ends it.
    const next = () => {
      clearTimeout(beat);
      if (!playing) return;
      if (wished >= last()) {
        pause();
        paint();
        return;
      }
      beat = setTimeout(() => go(wished + 1), STAND);
    };

    const toggle = () => {
      if (playing) {
        pause();
        paint();
        return;
      }
      playing = true;
      if (wished >= last()) go(0);
      else go(wished + 1);
    };

    const byHand = (at) => {
      pause();
      go(at);
    };

    const build = (root) => {
      const button = (id, text, title, act) => {
        const node = studio.button('st-action', text, title, act);
        node.id = `epochs-${id}`;
        return node;
      };
      parts = {
        range: h('input'),
        words: h('div', 'st-player-words'),
        ticks: h('div', 'st-player-ticks'),
        back: button('back', '‹ Previous', 'previous epoch (←)', () => byHand(wished - 1)),
        forth: button('forth', 'Next ›', 'next epoch (→)', () => byHand(wished + 1)),
        play: button('play', 'Play', 'play through the epochs; at the last one it starts over', toggle),
        list: h('div', 'st-player-list'),
      };
      Object.assign(parts.range, {type: 'range', min: '0', step: '1', id: 'epochs-slider'});
      parts.range.setAttribute('aria-label', 'Epoch');
      parts.range.addEventListener('input', () => byHand(Number(parts.range.value)));
      root.replaceChildren(
        parts.words,
        parts.back,
        h('div', 'st-player-track', null, parts.ticks, parts.range),
        parts.forth,
        parts.play,
        parts.list,
      );
      document.addEventListener('keydown', (event) => {
        const by = {ArrowLeft: -1, ArrowRight: 1}[event.key];
        if (!by || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.defaultPrevented) return;
        // the slider and the tabs have arrows of their own
        if (
          !value?.epochs ||
          !studio.visible(root) ||
          studio.writes(event.target) ||
          event.target.closest?.('input, [role=tab], dialog')
        )
          return;
        event.preventDefault();
        byHand(wished + by);
      });
    };

    // What the table lists, while that is not the usual: it may be far below.
    const say = (list) => {
      parts.list.hidden = !list;
      if (!list) return;
      const see = studio.button('st-link', 'See the list', 'scroll to the table', () =>
        document.querySelector('#epochs-table')?.scrollIntoView({
          block: 'center',
          behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth',
        }),
      );
      const away = studio.iconButton('', 'cross', 'list the selected again', () => trigger('reset', {}));
      const chip = h('span', 'st-chip', null, h('span', '', `${list.label}: ${list.count}`), away);
      chip.title = list.label;
      away.dataset.key = 'list reset';
      see.dataset.key = 'list see';
      parts.list.replaceChildren(chip, see);
    };

    studio.mount(context, (given, root) => {
      root.className = 'st-player';
      if (!given?.epochs?.length) {
        pause();
        value = null;
        asked = 0;
        parts = null;
        root.replaceChildren();
        return;
      }
      value = given;
      if (!parts || !root.contains(parts.range)) build(root);
      const at = Math.max(0, value.epochs.indexOf(value.epoch));
      const answered = asked && value.seq === asked;
      if (answered) {
        asked = 0;
        clearTimeout(late);
      }
      if (!asked && !answered) {
        wished = at;
      }
      shown = at;
      wished = Math.min(wished, last());
      studio.keepFocus(root, () => say(value.list));
      paint();
      if (answered) {
        ask();
        if (!asked) next();
      }
    });
  };
})();
