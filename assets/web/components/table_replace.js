// Find and replace over the samples of a table: a sheet that asks what, shows what would change, and then changes it.
(() => {
  const {h} = studio;
  const asked = {find: '', replacement: '', regex: false, case: true}; // as it was answered last

  const many = (count, word) => `${studio.count(count)} ${word}${count === 1 ? '' : 's'}`;

  const field = (words, key, onchange) => {
    const input = h('input');
    Object.assign(input, {type: 'text', value: asked[key], name: key, maxLength: 1000, autocomplete: 'off'});
    input.spellcheck = false;
    input.addEventListener('input', () => {
      asked[key] = input.value;
      onchange();
    });
    return h('label', 'st-export-line', null, h('span', '', words), input);
  };

  const box = (words, hint, key, onchange) => {
    const input = h('input');
    Object.assign(input, {type: 'checkbox', checked: asked[key], name: key});
    input.addEventListener('change', () => {
      asked[key] = input.checked;
      onchange();
    });
    return h('label', 'st-export-box', null, input, h('span', '', null, h('b', '', words), h('small', '', hint)));
  };

  const place = (className, [before, hit, after]) =>
    h(
      'div',
      `st-replace-text ${className}`,
      null,
      h('span', '', before),
      h('mark', '', hit === '' && className === 'after' ? '∅' : hit),
      h('span', '', after),
    );

  const shown = (found) => {
    const list = h('ol', 'st-replace-list');
    for (const one of found.shown)
      list.append(
        h(
          'li',
          '',
          null,
          h('div', 'st-replace-head', `Sample ${studio.count(one.row)}, ${many(one.places, 'place')}`),
          place('before', one.before),
          place('after', one.after),
        ),
      );
    return list;
  };

  // ids : of the ticked rows, null for the whole list. size : how many samples that is. send : asks for the change.
  studio.replaceSheet = ({server, listKey, ids, size, send}) => {
    document.querySelector('dialog.st-replace')?.remove();
    const dialog = h('dialog', 'st-export st-replace');
    const title = h('h3', '', `Find and replace in ${many(size, 'response')}`);
    title.id = 'st-replace-title';
    dialog.setAttribute('aria-labelledby', title.id);
    const told = h('p', 'st-replace-told', 'Nothing is changed before you have seen what would change.');
    told.setAttribute('role', 'status');
    const result = h('div', 'st-replace-result');
    const apply = studio.button('st-action primary', 'Apply', '', () => {
      send({...asked, pool: state.pool});
      dialog.close();
    });
    const look = h('button', 'st-action', 'Preview');
    look.type = 'submit';
    const state = {pool: '', seq: 0};
    // another question: what was previewed no longer stands
    const changed = () => {
      state.seq += 1;
      state.pool = '';
      apply.disabled = true;
      apply.textContent = 'Apply';
      look.disabled = asked.find === '';
      result.replaceChildren();
      told.classList.remove('bad');
      told.textContent = 'Nothing is changed before you have seen what would change.';
    };
    const preview = async () => {
      const seq = ++state.seq;
      told.classList.remove('bad');
      told.textContent = 'Looking…';
      look.disabled = true;
      const found = await server.preview([listKey, ids, {...asked}]);
      if (seq !== state.seq) return;
      look.disabled = false;
      if (!found || found.error) {
        told.classList.add('bad');
        told.textContent = found?.error || 'The preview could not be made.';
        return;
      }
      state.pool = found.pool;
      const rest = found.samples - found.shown.length;
      const counts = `${many(found.places, 'place')} in ${many(found.samples, 'sample')} of ${studio.count(found.listed)}.`;
      told.textContent = [counts, found.refused].filter(Boolean).join(' ');
      result.replaceChildren(
        ...[shown(found), rest > 0 ? h('p', 'st-hint', `and ${many(rest, 'more sample')}`) : null].filter(Boolean),
      );
      result.scrollTop = 0;
      apply.disabled = false;
      apply.textContent = `Replace in ${many(found.samples, 'sample')}`;
    };
    const form = h(
      'form',
      '',
      null,
      title,
      field('Find', 'find', changed),
      field('Replace with', 'replacement', changed),
      box(
        'Regular expression',
        '^ and $ match at each line; \\1 in the replacement is the first group',
        'regex',
        changed,
      ),
      box('Match case', 'capital and small letters differ', 'case', changed),
      told,
      result,
      h(
        'div',
        'st-export-acts',
        null,
        studio.button('st-action', 'Cancel', '', () => dialog.close()),
        look,
        apply,
      ),
    );
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      if (asked.find !== '') preview();
    });
    // keys of the page are letters here
    dialog.addEventListener('keydown', (event) => event.stopPropagation());
    dialog.append(form);
    dialog.addEventListener('close', () => dialog.remove());
    document.body.append(dialog);
    changed();
    dialog.showModal();
    form.elements.find.focus();
  };
})();
