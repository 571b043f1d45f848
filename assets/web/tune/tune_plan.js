// What a run would cost, before it is launched: four figures, where they are from, and a way to the ones that are missing.
(() => {
  const {h} = studio;
  const POLL = 1000; // ms between two looks at how far a count is

  // ask(begin) -> how far the count of the pool's tokens is (see tune_count.py); known() when it has ended.
  studio.tunePlan = ({ask, known}) => {
    const line = h('p', 'st-plan-line');
    const cards = h('div', 'st-cards st-plan');
    const rows = h('dl', 'st-plan-rows');
    const told = h('p', 'st-missing-why');
    told.setAttribute('role', 'status');
    const button = studio.button(
      'st-action',
      'Count tokens',
      "read the pool with this model's tokenizer; nothing is trained",
      () => follow(true),
    );
    const missing = h('div', 'st-missing', null, told, button);
    const more = studio.fold('tune cost', 'What it would cost, in full', false, rows);
    const node = h('div', 'st-plan-all', null, line, cards, missing);
    let about = ''; // the pool and model that are being counted
    let busy = false;
    cards.id = 'tune-plan';
    missing.id = 'tune-count';

    const say = (words) => {
      told.textContent = words;
    };
    const follow = async (begin) => {
      const mine = about;
      busy = true;
      button.disabled = true;
      let found = await ask(begin);
      while (found.state === 'running' && mine === about) {
        say(found.total ? `${found.text}: ${Math.round((100 * found.done) / found.total)} %` : `${found.text} …`);
        await new Promise((done) => setTimeout(done, POLL));
        if (mine === about) found = await ask(false);
      }
      busy = false;
      button.disabled = false;
      if (mine !== about) return;
      if (found.state === 'ready') known();
      else say(`Tokens were not counted: ${found.error || 'the work is gone; begin it again'}`);
    };

    return {
      node,
      more,
      // key : names the pool and model that the plan is about.
      show(plan, key) {
        if (key !== about) {
          about = key;
          busy = false;
          button.disabled = false;
        }
        line.textContent = plan?.line || '';
        cards.replaceChildren(
          ...(plan?.cards || []).map((card) => {
            const made = h(
              'div',
              `st-card${card.known === false ? ' unknown' : ''}`,
              null,
              h('span', 'label', card.label),
              h('span', 'num', card.value),
              h('span', 'unit', card.unit || ''),
            );
            made.title = card.hint || '';
            return made;
          }),
        );
        missing.hidden = !plan?.uncounted;
        if (!busy && (missing.hidden || missing.dataset.key !== key))
          say('Tokens and time are known once the pool is read.');
        missing.dataset.key = key;
        more.hidden = !plan;
        // a reason that holds for several rows stands under the first of them
        rows.replaceChildren(
          ...(plan?.rows || []).flatMap((row, place, all) => [
            h(
              'dt',
              '',
              null,
              row.label,
              row.hint && row.hint !== all[place - 1]?.hint ? h('small', '', row.hint) : null,
            ),
            h('dd', 'num', row.value),
          ]),
        );
      },
    };
  };
})();
