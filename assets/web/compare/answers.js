// Answers of several models to one prompt, side by side, asked for again and again while they are written.
(() => {
  const {h} = studio;
  const LIVE = 400; // ms between two looks while something is written
  const QUIET = 2000;
  const KEY = 'studio-answers-shown';

  const put = (node, text) => {
    if (node.textContent !== text) node.textContent = text;
  };

  // One column; `fill` writes what has changed, so that a selection of text and the place scrolled to stay.
  const column = () => {
    const title = h('h4');
    const state = h('span', 'st-answer-state');
    const body = h('div', 'st-answer-text');
    const error = h('p', 'st-answer-error');
    const facts = h('p', 'st-answer-facts num');
    const loss = h('p', 'st-answer-loss');
    const root = h('section', 'st-answer panel', null, h('header', '', null, title, state), body, error, facts, loss);
    body.tabIndex = 0;
    let followed = false;
    const fill = (value) => {
      put(title, value.label);
      title.title = value.hint || value.label;
      root.classList.toggle('reference', !value.state);
      root.classList.toggle('writing', value.tone === 'candidate');
      put(state, value.state || '');
      state.className = `st-answer-state ${studio.tone(value.tone)}`;
      // the end is followed while it is written; who reads an earlier part is left there
      const writing = value.tone === 'candidate';
      const end = body.scrollTop + body.clientHeight >= body.scrollHeight - 8;
      put(body, value.text);
      body.classList.toggle('nothing', !value.text && writing);
      if (end && writing) body.scrollTop = body.scrollHeight;
      if (end && followed && !writing) body.scrollTop = 0;
      followed = writing;
      put(error, value.error || '');
      put(facts, (value.facts || []).join(' · '));
      put(loss, value.loss || '');
      if (value.delta) loss.append(' ', h('b', `${studio.tone(value.delta.tone)}`, value.delta.text));
      for (const node of [error, facts, loss]) node.hidden = !node.textContent;
    };
    return {root, fill};
  };

  studio.answers = ({element, trigger, props, server, watch}) => {
    const root = element.firstElementChild;
    const worker = h('span', 'st-answers-worker');
    const unload = studio.button(
      'st-action changes',
      'Unload',
      'End the process that answers and free its memory',
      () => trigger('free', {}),
    );
    const stop = studio.button('st-action changes', 'Stop', 'Stop this question; what is written stays', () =>
      trigger('stop', {id: shown}),
    );
    const again = studio.button(
      'st-action',
      'Edit and ask again',
      'Put this prompt and its settings back into the form',
      () => trigger('again', {id: shown}),
    );
    const bar = h('div', 'st-answers-bar', null, worker, stop, again, unload);
    const note = h('p', 'st-answers-note');
    const warn = h('p', 'st-answers-warn');
    const prompt = h('div', 'st-answers-prompt');
    const facts = h('p', 'st-answers-facts');
    const grid = h('div', 'st-answers-grid');
    const list = h('div', 'st-answers-list');
    const earlier = studio.fold('answers-earlier', 'Earlier questions', false, list);
    const empty = h(
      'p',
      'st-answers-empty',
      'Nothing has been asked yet. Type a prompt above, or take a held-out sample, and press Ask: each model’s answer appears here beside the others, as it is written.',
    );
    root.replaceChildren(bar, note, warn, empty, prompt, facts, grid, earlier);

    let shown = sessionStorage.getItem(KEY) || '';
    let stamp = '';
    let columns = [];
    let drawn = '';
    let live = false;
    let timer = null;

    const show = (id) => {
      shown = id;
      sessionStorage.setItem(KEY, id);
      stamp = '';
      soon(0);
    };

    const drawQuestion = (question) => {
      empty.hidden = Boolean(question);
      for (const node of [prompt, facts, grid]) node.hidden = !question;
      stop.hidden = !question?.live;
      again.hidden = !question || question.live;
      if (!question) return;
      if (drawn !== question.id || columns.length !== question.columns.length) {
        drawn = question.id;
        columns = question.columns.map(column);
        grid.replaceChildren(...columns.map((one) => one.root));
        prompt.replaceChildren(
          ...question.turns.map((turn) =>
            h(
              'div',
              'st-answers-turn',
              null,
              question.turns.length > 1 || turn.role !== 'user' ? h('span', 'st-answers-role', turn.role) : null,
              h('div', 'st-answer-text', turn.content),
            ),
          ),
        );
      }
      put(facts, question.waits || question.facts);
      facts.classList.toggle('waits', Boolean(question.waits));
      question.columns.forEach((value, at) => columns[at].fill(value));
    };

    const drawHistory = (history, now) =>
      studio.keepFocus(list, () => {
        earlier.hidden = history.length < 2;
        list.replaceChildren(
          ...history.map((one) => {
            const node = studio.button('st-answers-old', null, '', () => show(one.id));
            node.append(h('span', 'when num', one.when), h('span', 'what', one.text), h('span', 'who', one.models));
            node.dataset.key = `old ${one.id}`;
            node.setAttribute('aria-current', String(one.id === now));
            return node;
          }),
        );
      });

    const draw = (found) => {
      stamp = found.stamp;
      live = Boolean(found.question?.live);
      if (found.question) shown = found.question.id;
      put(worker, found.worker.text);
      worker.className = `st-answers-worker ${studio.tone(found.worker.tone)}`;
      unload.hidden = !found.worker.loaded;
      for (const [node, text] of [
        [note, found.worker.note],
        [warn, found.warn],
      ]) {
        put(node, text || '');
        node.hidden = !text;
      }
      drawQuestion(found.question);
      drawHistory(found.history, found.question?.id);
      root.dataset.rev = studio.revision(found.stamp);
    };

    const look = async () => {
      if (document.hidden || !studio.visible(root)) return;
      const asked = shown;
      const found = await server.look([asked, stamp]);
      if (asked !== shown || !found || found.same) return; // another question was chosen meanwhile
      if (found.error) {
        put(note, found.error);
        note.hidden = false;
        return;
      }
      draw(found);
    };
    const soon = (wait) => {
      clearTimeout(timer);
      timer = setTimeout(
        () =>
          look()
            .catch((error) => console.warn('studio: no answer about answers', error))
            .finally(() => soon(live ? LIVE : QUIET)),
        wait,
      );
    };

    const update = () => {
      const value = JSON.parse(props.value || 'null');
      if (value?.show) show(value.show);
      else soon(0);
    };
    for (const node of [note, warn, prompt, facts, grid, stop, again, unload, earlier]) node.hidden = true;
    watch('value', update);
    update();
  };
})();
