// One sample in full: the conversation, why it was picked or not, its scores, what a model makes of it, and the note.
// Everything a data set brings goes through textContent.
(() => {
  const {h} = studio;
  const ACTIONS = {
    pin: ['Pin', 'always in the selection, first (p)'],
    exclude: ['Exclude', 'never in the selection (x)'],
    unmark: ['Unmark', 'leave it to the method again (u)'],
    undo: ['Undo', 'take back the last change (z)'],
  };
  const ROLES = {user: 'User', assistant: 'Assistant', system: 'System', tool: 'Tool'};

  const bubble = (role, text, tag) => {
    const known = Object.hasOwn(ROLES, role);
    const who = h('div', 'st-who', null, h('span', '', known ? ROLES[role] : role), tag ? h('em', '', tag) : null);
    return h(
      'div',
      `st-turn role-${known ? role : 'other'}`,
      null,
      who,
      h('div', 'st-text', text === '' ? '(empty)' : text),
    );
  };

  const part = (kind, label, text) =>
    h('div', `st-apart ${kind}`, null, h('span', 'st-apart-label', label), h('div', 'st-apart-text', text));

  // A turn with its reasoning and its calls set apart from what it says.
  const spoken = (turn, tag) => {
    const node = bubble(turn.role, turn.content, tag || turn.name);
    const text = node.querySelector('.st-text');
    const parts = [
      turn.reasoning ? part('reasoning', 'Reasoning', turn.reasoning) : null,
      turn.content === '' && turn.calls.length ? null : h('div', '', turn.content === '' ? '(empty)' : turn.content),
      ...turn.calls.map((call) => part('call', `Calls ${call.name}`, call.arguments)),
    ];
    text.replaceChildren(...parts.filter(Boolean));
    return node;
  };

  const conversation = (value, own) => {
    const tag = 'the response that is scored';
    if (!value.said)
      return [
        ...(value.turns || []).map((turn) => bubble(turn.role, turn.content)),
        own(bubble('assistant', value.response, tag)),
      ];
    const {turns, tools} = value.said;
    const offered = tools.length
      ? [
          studio.fold(
            'tools',
            tools.length === 1 ? '1 tool it may call' : `${tools.length} tools it may call`,
            false,
            ...tools.map((tool) => h('pre', 'st-tool', tool)),
          ),
        ]
      : [];
    const last = turns.length - 1;
    return [...offered, ...turns.map((turn, at) => (at === last ? own(spoken(turn, tag)) : spoken(turn, '')))];
  };

  // Title, statuses, place in the list, and what can be done; it stays in sight while the rest scrolls.
  const top = (value, trigger, walk) => {
    const head = h(
      'div',
      'st-sample-head',
      null,
      h('h3', '', value.title),
      ...(value.badges || []).map((badge) => h('span', `st-badge ${studio.tone(badge.tone)}`, badge.label)),
    );
    if (value.position) {
      const {at, of} = value.position;
      const step = (by, icon, title) => {
        const node = studio.iconButton('st-step', icon, title, () => walk(by));
        node.dataset.key = title;
        node.disabled = of < 1 || (at !== null && at !== undefined && (at + by < 1 || at + by > of));
        return node;
      };
      const where = at ? `${studio.count(at)} of ${studio.count(of)}` : `not among the ${studio.count(of)} listed`;
      head.append(
        h(
          'span',
          'st-position',
          null,
          h('span', 'num', where),
          step(-1, 'previous', 'previous sample (k)'),
          step(1, 'next', 'next sample (j)'),
        ),
      );
    }
    const actions = h('div', 'st-actions');
    for (const name of value.actions || []) {
      if (!Object.hasOwn(ACTIONS, name)) continue;
      const node = studio.button(
        `st-action ${name}`,
        ACTIONS[name][0],
        (name === 'undo' && value.undo_hint) || ACTIONS[name][1],
        () => trigger(name, {id: value.id}),
      );
      node.dataset.key = name;
      actions.append(node);
    }
    return h('div', 'st-sample-top', null, head, actions.children.length ? actions : null);
  };

  const day = (at) =>
    typeof at === 'number'
      ? new Date(1000 * at).toLocaleString('en-GB', {
          day: 'numeric',
          month: 'short',
          year: 'numeric',
          hour: '2-digit',
          minute: '2-digit',
        })
      : at;

  // The note as text, or as a field while somebody writes in it; `memory` outlives a redraw of the same sample.
  const noteBox = (value, trigger, memory, again) => {
    const {note} = value;
    const write = () => {
      memory.draft = note?.text || '';
      again('.st-note-box textarea');
    };
    if (memory.draft === null) {
      const edit = studio.button('st-link changes', note ? 'Edit' : 'Add a note', 'n', write);
      edit.dataset.key = 'note edit';
      if (!note) return h('div', 'st-note-box', null, edit);
      const by = [note.who, day(note.at)].filter(Boolean).join(', ');
      return h(
        'div',
        'st-note-box has',
        null,
        h('div', 'st-note-text', note.text),
        h('div', 'st-note-by', null, h('span', '', by), edit),
      );
    }
    const area = h('textarea', 'st-note-field');
    area.value = memory.draft;
    area.rows = 3;
    area.maxLength = 10000;
    area.dataset.key = 'note field';
    area.setAttribute('aria-label', 'Note on this sample');
    area.placeholder = 'What others should know about this sample; empty takes the note away';
    const close = () => {
      memory.draft = null;
      again('.st-note-box button');
    };
    const save = () => {
      const text = area.value.trim();
      const changed = text !== (note?.text || '');
      close();
      if (changed) trigger('note', {id: value.id, text});
    };
    area.addEventListener('input', () => {
      memory.draft = area.value;
    });
    area.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') {
        event.stopPropagation();
        close();
      }
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) save();
    });
    return h(
      'div',
      'st-note-box',
      null,
      area,
      h(
        'div',
        'st-note-by',
        null,
        studio.button('st-action', 'Save note', 'Ctrl and Enter', save),
        studio.button('st-link', 'Cancel', 'Escape', close),
      ),
    );
  };

  const draw = (value, root, context, memory) => {
    const {trigger} = context;
    const again = (focus) => {
      studio.keepFocus(root, () => draw(value, root, context, memory));
      if (focus) root.querySelector(focus)?.focus({preventScroll: true});
    };
    memory.write = () => {
      if (value.note !== undefined && memory.draft === null) {
        memory.draft = value.note?.text || '';
        again('.st-note-box textarea');
      }
      root.querySelector('.st-note-box textarea')?.focus({preventScroll: true});
      root.querySelector('.st-note-box')?.scrollIntoView({block: 'nearest'});
    };
    const talk = h(
      'div',
      'st-talk',
      null,
      ...conversation(value, (box) => studio.editable(value, context, memory, again, box)),
    );
    talk.tabIndex = 0; // a box that scrolls can be scrolled with keys
    talk.setAttribute('aria-label', 'the conversation');
    talk.setAttribute('role', 'region');
    const scrolled = [
      root.scrollTop,
      ...['.st-talk', '.st-as-read', '.st-pieces'].map((name) => root.querySelector(name)?.scrollTop || 0),
    ];
    root.replaceChildren(
      ...[
        top(value, trigger, memory.walk),
        studio.whyHeadline(value),
        talk,
        value.note === undefined ? null : noteBox(value, trigger, memory, again),
        ...studio.whySections(value, trigger),
        ...studio.readingSections(value, trigger, memory, again),
      ].filter(Boolean),
    );
    ['', '.st-talk', '.st-as-read', '.st-pieces'].forEach((name, index) => {
      const box = name ? root.querySelector(name) : root;
      if (box) box.scrollTop = memory.fresh ? 0 : scrolled[index];
    });
    memory.fresh = false;
  };

  studio.sample = (context) => {
    const memory = {
      id: null,
      fresh: true,
      draft: null,
      edit: null,
      original: false,
      refused: '',
      view: 'conditioned',
      write: () => {},
      walk: studio.walker(context.trigger, () => context.element.firstElementChild),
    };
    const root = studio.mount(context, (value, node) => {
      node.classList.add('st-sample', 'panel');
      if (!value || value.empty) {
        memory.id = null;
        return node.replaceChildren(h('div', 'st-empty', value?.empty || ''));
      }
      // another sample starts at its top; the same one stays where it was read
      if (value.id !== memory.id)
        Object.assign(memory, {id: value.id, fresh: true, draft: null, edit: null, original: false, refused: ''});
      studio.keepFocus(node, () => draw(value, node, context, memory));
    });
    root.addEventListener('studio-note', () => memory.write());
    new ResizeObserver(() => root.classList.toggle('narrow', root.clientWidth > 0 && root.clientWidth < 420)).observe(
      root,
    );
  };
})();
