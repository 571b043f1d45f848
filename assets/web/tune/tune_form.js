// The form of a run. It lives in the page: what is typed is never overwritten by an answer that comes late. The server is
// asked what it says about the form (problems, cost, command), and told when somebody launches.
(() => {
  const {h} = studio;
  const PAUSE = 250; // ms without a key after which the server is asked
  const STORE = 'studio-tune-form';

  // The same form after a reload of this browser tab.
  const remembered = () => {
    try {
      return JSON.parse(sessionStorage.getItem(STORE) || 'null');
    } catch {
      return null;
    }
  };

  studio.tuneform = (context) => {
    const {server, trigger} = context;
    let given = null; // what the server sent: schema, pools, models, pool, carried
    let form = null; // {pool, model, preset, values, parallel, parent}
    let said = {problems: [], off: {}, ready: false};
    let note = null; // a line about what was loaded, or that a launch went wrong
    let parts = null;
    let asked = 0;
    let timer = 0;
    let filled = '';
    // Curate's settings come with the answer to the last `look`, which is asked whenever the form is opened
    let looked = 0;
    let fresh = false;
    let open = false;

    const preset = (name) => given.schema.presets.find((one) => one.name === name) || given.schema.presets[0];
    const values = (name) => ({
      ...preset(name).values,
      ...(form && form.pool !== given.demo ? preset(name).elsewhere : {}),
    });
    const based = (name) => ({...values(name), ...given.carried});
    const suiting = (pool, model) => (pool === given.demo && model === 'demo' ? 'demo' : 'paper');
    const keep = () => sessionStorage.setItem(STORE, JSON.stringify({form, carried: given.carried}));

    const ask = async () => {
      const mine = ++asked;
      const answer = await server.verdict(form).catch((error) => ({error: `The app did not answer (${error}).`}));
      if (mine !== asked) return; // something was changed since
      said = answer?.problems
        ? answer
        : {
            problems: [{field: '', fields: [], text: answer?.error || 'The app did not answer.', fatal: true}],
            off: {},
            ready: false,
          };
      show();
      parts?.pilot.ask();
    };
    const later = () => {
      asked += 1; // what is under way is no longer about this form
      said = {...said, ready: false};
      clearTimeout(timer);
      timer = setTimeout(ask, PAUSE);
    };
    const changed = () => {
      keep();
      show();
      later();
    };

    const set = (name, value) => {
      form.values[name] = value;
      changed();
    };
    const back = (name) => set(name, based(form.preset)[name]);
    // What takes other values all at once can be taken back.
    const replacing = (why, replace) => {
      const before = structuredClone(form);
      const base = based(form.preset);
      const mine = Object.keys(base).filter((name) => form.values[name] !== base[name]);
      replace();
      const lost = mine.filter((name) => form.values[name] !== before.values[name]).length;
      if (lost)
        note = {
          tone: 'info',
          title: why,
          lines: [
            `${lost} ${lost === 1 ? 'setting' : 'settings'} that you had changed ${lost === 1 ? 'has' : 'have'} another value now.`,
          ],
          before,
        };
    };
    const takeBack = (before) => {
      note = null;
      if (before.pool !== form.pool) trigger('pool', {pool: before.pool});
      form = before;
      changed();
    };
    const choosePreset = (name) => {
      replacing(`The form has what the preset ${preset(name).label} says`, () => {
        form.preset = name;
        form.values = based(name);
      });
      changed();
    };
    const chooseModel = (model) => {
      form.model = model;
      const next = suiting(form.pool, model);
      const mine = form.preset === 'demo' || form.preset === 'paper';
      if (mine && next !== form.preset) {
        // what nobody has typed follows the preset
        const [old, suited] = [based(form.preset), based(next)];
        for (const name of Object.keys(old)) if (form.values[name] === old[name]) form.values[name] = suited[name];
        form.preset = next;
      }
      changed();
    };
    const fill = (found) => {
      const before = structuredClone(form);
      if (found.preset) {
        form.preset = found.preset;
        form.values = values(found.preset);
      }
      form.values = {...form.values, ...found.values};
      form.model = found.model || form.model;
      form.parent = found.parent || '';
      note = {
        tone: found.said?.length ? 'warn' : 'good',
        title: `${found.title} ${found.title.startsWith('The settings') ? 'are' : 'is'} in the form`,
        lines: found.said || [],
        before,
      };
      if (found.pool && found.pool !== form.pool) {
        form.pool = found.pool;
        trigger('pool', {pool: found.pool});
      }
      changed();
    };
    const load = async (what) => {
      const found = await server.load(what).catch((error) => ({error: String(error)}));
      if (found?.values) fill(found);
      else {
        note = {
          tone: 'error',
          title: 'Not loaded',
          lines: [found?.error || 'The app did not answer.', 'The form is as it was.'],
        };
        show();
      }
    };

    const labelled = (id, words, help, input) => {
      const label = h('label', '', words);
      input.id = `${id}-input`;
      label.htmlFor = input.id;
      const told = h('p', 'st-field-help', help);
      const node = h('div', 'st-field told', null, h('div', 'st-field-top', null, label), input, told);
      node.id = id;
      return {node, input, told};
    };
    const build = (root) => {
      const list = h('datalist');
      list.id = 'tune-models';
      const model = h('input');
      model.setAttribute('list', list.id);
      Object.assign(model, {type: 'text', autocomplete: 'off', spellcheck: false});
      const differ = h('span', 'st-differ');
      const allBack = studio.button(
        'st-link',
        'Reset to preset',
        'every setting back to the preset, with what Curate says',
        () => choosePreset(form.preset),
      );
      parts = {
        pool: labelled('tune-pool', 'Pool', 'The samples to pick from.', h('select')),
        model: labelled('tune-model', 'Model', 'From the list, or a hub id.', model),
        presets: studio.tunePresets(given.schema.presets, choosePreset, h('div', 'st-differs', null, differ, allBack)),
        plan: studio.tunePlan({
          ask: (begin) =>
            server
              .count({form, begin})
              .catch((error) => ({state: 'failed', error: `the app did not answer (${error})`})),
          known: ask,
        }),
        pilot: studio.tunePilot(given.pilot, {
          ask: (what) =>
            server.pilot({...what, form}).catch((error) => ({
              plan: {tone: 'error', lines: [`The app did not answer (${error}).`], ready: false},
            })),
          queue: (pilot) => trigger('try_first', {form, carried: given.carried, pilot}),
          use: (strategy) => set('strategy', strategy),
          compare: (comparison) => trigger('compare', {comparison}),
        }),
        list,
        fields: new Map(),
        counts: new Map(),
        note: h('div'),
        problems: h('ul', 'st-problems'),
        carried: h('p', 'st-field-help'),
        differ,
        back: allBack,
      };
      parts.note.id = 'tune-message';
      parts.carried.id = 'tune-carried';
      parts.problems.id = 'tune-problems';
      parts.pool.input.addEventListener('change', () => trigger('pool', {pool: parts.pool.input.value}));
      model.addEventListener('change', () => chooseModel(model.value.trim()));
      parts.launch = studio.button('st-launch changes', 'Launch', '', () => {
        if (!fresh || !said.ready) return;
        said = {...said, ready: false}; // until what is said about it has come
        showLaunch();
        trigger('launch', {...form, carried: given.carried});
      });
      parts.launch.id = 'tune-launch';
      const parallel = h('input');
      parallel.type = 'checkbox';
      parallel.addEventListener('change', () => {
        form.parallel = parallel.checked;
        changed();
      });
      parts.parallel = parallel;
      const beside = h('label', 'st-beside changes', null, parallel, h('span', '', 'Start now, in parallel'));
      beside.id = 'tune-parallel';
      beside.title = 'both become slower, and both need their memory';
      const groups = given.schema.groups.map((group) => {
        const own = group.fields.map((name) => {
          const made = studio.field(given.schema.fields[name], {
            on: set,
            back,
            id: `tune-${name.replaceAll('_', '-')}`,
            origin: "the preset's ",
          });
          parts.fields.set(name, made);
          return made.node;
        });
        if (!group.title) return h('div', 'st-group', null, ...own);
        const told = h('em', 'st-changed');
        parts.counts.set(group.key, [group, told]);
        return studio.fold(
          `tune ${group.key}`,
          h('span', '', group.title, told),
          false,
          h('p', 'st-field-help', group.help),
          ...own,
        );
      });
      const offered = Object.entries(given.files).map(([name, paths]) => {
        const files = h('datalist', '', null, ...paths.map((path) => studio.option(path, '')));
        files.id = `tune-${name}-files`;
        parts.fields.get(name).node.querySelector('input').setAttribute('list', files.id);
        return files;
      });
      parts.configuration = studio.tuneConfiguration(load);
      root.replaceChildren(
        h('div', 'st-two', null, parts.pool.node, parts.model.node),
        list,
        ...offered,
        parts.presets.node,
        parts.carried,
        parts.note,
        h(
          'div',
          'st-before',
          null,
          parts.plan.node,
          parts.problems,
          parts.launch,
          beside,
          parts.pilot.node,
          parts.plan.more,
        ),
        ...groups,
        ...parts.configuration.nodes,
      );
    };

    const showNote = () => {
      parts.note.replaceChildren(
        ...(note
          ? [
              h(
                'div',
                `st-note ${['good', 'error', 'warn'].includes(note.tone) ? note.tone : 'info'}`,
                null,
                h('b', '', note.title),
                ...(note.lines || []).map((line) => h('p', '', line)),
                note.before
                  ? studio.button('st-link', 'Undo', 'the form as it was before', () => takeBack(note.before))
                  : null,
              ),
            ]
          : []),
      );
    };
    const showLaunch = () => {
      parts.launch.disabled = !(said.ready && fresh);
      parts.launch.title = !fresh
        ? 'the settings of the Curate tab are on their way'
        : said.ready
          ? 'start it, or queue it behind the others'
          : 'first mend what is said above';
      parts.pilot.show({ready: said.ready && fresh, strategy: form.values.strategy});
    };
    const show = () => {
      const base = based(form.preset);
      const {schema} = given;
      parts.pool.input.replaceChildren(...given.pools.map(([label, pool]) => studio.option(pool, label)));
      parts.pool.input.value = form.pool;
      parts.list.replaceChildren(
        ...given.models.map(([label, model]) => Object.assign(studio.option(model, label), {label})),
      );
      if (document.activeElement !== parts.model.input) parts.model.input.value = form.model;
      parts.presets.show(form.preset);
      const problemOf = (name) =>
        said.problems.find((problem) => problem.field === name || problem.fields.includes(name));
      for (const [name, field] of parts.fields) {
        const problem = problemOf(name);
        field.take({
          value: form.values[name],
          default: base[name],
          off: said.off[name] || '',
          message: problem?.text || '',
          wrong: problem?.fatal,
        });
      }
      const differing = [...parts.fields.keys()].filter((name) => form.values[name] !== base[name]);
      parts.differ.textContent = differing.length
        ? `${differing.length} ${differing.length === 1 ? 'setting differs' : 'settings differ'}`
        : 'unchanged';
      parts.back.hidden = !differing.length;
      for (const [group, told] of parts.counts.values()) {
        const count = group.fields.filter((name) => form.values[name] !== base[name]).length;
        const wrong = group.fields.some((name) => problemOf(name)?.fatal);
        told.textContent = wrong ? 'to mend' : count ? `${count} changed` : '';
        told.classList.toggle('wrong', wrong);
      }
      const names = Object.keys(given.carried).map((name) => schema.fields[name]?.label || name);
      parts.carried.textContent = names.length ? `From Curate: ${names.join(', ')}. The preset gives the rest.` : '';
      parts.problems.replaceChildren(
        ...said.problems.map((problem) => h('li', problem.fatal ? 'fatal' : '', problem.text)),
      );
      parts.plan.show(said.plan, `${form.pool} ${form.model}`);
      showLaunch();
      parts.parallel.checked = Boolean(form.parallel);
      parts.configuration.show(said, given.runs);
      showNote();
    };

    // What the server says: other choices, another pool, other settings on Curate, a configuration to fill in.
    studio.mount(context, (value, root) => {
      if (!value) return;
      const before = given;
      given = value;
      if (value.seen !== undefined && value.seen === looked && open && studio.settled.now) fresh = true;
      if (!form) {
        const kept = remembered();
        const model = given.models[0]?.[1] || '';
        form = kept?.form?.values
          ? kept.form
          : {pool: given.pool, model, preset: suiting(given.pool, model), values: {}, parallel: false, parent: ''};
        form.values = {...based(form.preset), ...form.values};
        if (kept?.carried) carry(kept.carried);
        build(root);
        look();
      } else if (before?.pool === given.pool) carry(before.carried); // another pool has marks of its own
      // only where it became another pool: an answer from before a pool was chosen here comes late
      if (given.pool && given.pool !== form.pool && given.pool !== before?.pool) {
        const mine = form.preset === 'demo' || form.preset === 'paper';
        replacing('The form was set for the other pool', () => {
          form.pool = given.pool;
          form.preset = mine ? suiting(form.pool, form.model) : form.preset;
          form.values = based(form.preset);
        });
      }
      if (given.note && given.note.key !== before?.note?.key) note = given.note.title ? given.note : null;
      if (given.piloted && given.piloted.key !== before?.piloted?.key) parts.pilot.say(given.piloted);
      if (given.filled && given.filled.key !== filled) {
        filled = given.filled.key;
        fill(given.filled);
        return;
      }
      changed();
    });

    const look = () => {
      fresh = false;
      if (parts) showLaunch();
      if (open && given && studio.settled.now) trigger('look', {seq: ++looked});
    };
    studio.settled.watch(look);
    new ResizeObserver(([entry]) => {
      const now = entry.contentRect.width > 0; // the tab is open
      if (now === open) return;
      open = now;
      look();
    }).observe(context.element);

    // Only what has changed on Curate is taken over: what was typed here stays.
    const carry = (old) => {
      const base = values(form.preset);
      for (const name of new Set([...Object.keys(old), ...Object.keys(given.carried)])) {
        if (old[name] !== given.carried[name]) form.values[name] = given.carried[name] ?? base[name];
      }
    };
  };
})();
