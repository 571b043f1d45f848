// The response of a sample corrected in place: a text area instead of it, the original beside it, and the way back.
// `memory.edit` outlives a redraw of the same sample: {text, was, note, busy}, null while nobody edits.
(() => {
  const {h} = studio;

  const day = (at) =>
    new Date(1000 * at).toLocaleString('en-GB', {day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit'});

  // The text area, while somebody edits.
  const form = (value, {trigger, server}, memory, again) => {
    const {edit} = memory;
    const area = h('textarea', 'st-edit-field');
    area.value = edit.text;
    area.dataset.key = 'edit field';
    area.setAttribute('aria-label', 'Response of this sample');
    area.disabled = edit.busy;
    const told = h('p', 'st-edit-told', edit.note);
    told.setAttribute('role', 'status');
    const close = () => {
      memory.edit = null;
      again('.st-edit-acts button');
    };
    const save = async () => {
      if (edit.text === edit.was) return close();
      edit.busy = true;
      again();
      const found = await server.check([value.edit.pool, value.id, edit.text]);
      if (memory.edit !== edit) return; // another sample was opened meanwhile
      if (found.error) {
        Object.assign(edit, {busy: false, note: found.error});
        return again('textarea.st-edit-field');
      }
      memory.edit = null;
      trigger('edit', {id: value.id, text: edit.text});
      again();
    };
    area.addEventListener('input', () => {
      edit.text = area.value;
    });
    area.addEventListener('keydown', (event) => {
      event.stopPropagation(); // keys of the page (j, k, p, x) are letters here
      if (event.key === 'Escape') close();
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) save();
    });
    const keep = studio.button('st-action', edit.busy ? 'Saving…' : 'Save', 'Ctrl and Enter', save);
    keep.disabled = edit.busy;
    return h(
      'div',
      'st-edit',
      null,
      area,
      told,
      h('div', 'st-edit-acts', null, keep, studio.button('st-link', 'Cancel', 'Escape', close)),
    );
  };

  // What stands under the response: nothing where it cannot be edited here. `box` holds the response's own bubble.
  studio.editable = (value, context, memory, again, box) => {
    if (!value.edit || !context.server?.response) return box;
    if (memory.edit) {
      box.querySelector('.st-text')?.replaceWith(form(value, context, memory, again));
      box.classList.add('editing');
      return box;
    }
    const {edited} = value.edit;
    const open = async () => {
      const found = await context.server.response([value.edit.pool, value.id]);
      if (memory.id !== value.id) return;
      if (found.error) {
        memory.refused = found.error;
        return again();
      }
      const note = found.hides ? 'It holds a key or a password, which is shown here as it is.' : '';
      memory.edit = {text: found.text, was: found.text, note, busy: false};
      again('textarea.st-edit-field');
      document.querySelector('.st-sample .st-edit')?.scrollIntoView({block: 'nearest'});
    };
    const act = (className, label, title, onclick) => {
      const node = studio.button(className, label, title, onclick);
      node.dataset.key = `edit ${title}`;
      return node;
    };
    const acts = [act('st-link changes', 'Edit response', 'correct it here; the original is kept', open)];
    if (edited) {
      const toggle = () => {
        memory.original = !memory.original;
        again();
      };
      acts.push(
        act('st-link', memory.original ? 'Hide original' : 'Show original', 'as it was read', toggle),
        act('st-link changes', 'Take the edit back', 'the original response again', () =>
          trigger(context, value, memory),
        ),
      );
      const by = [edited.who, day(edited.at)].filter(Boolean).join(', ');
      acts.unshift(h('span', 'st-edit-by', `edited by ${by}`));
    }
    if (memory.refused) acts.push(h('span', 'st-edit-told', memory.refused));
    box.append(h('div', 'st-edit-acts', null, ...acts));
    if (edited && memory.original)
      box.append(
        h(
          'div',
          'st-original',
          null,
          h('span', 'st-apart-label', 'Original'),
          h('div', 'st-text', edited.original === '' ? '(empty)' : edited.original),
        ),
      );
    return box;
  };

  const trigger = (context, value, memory) => {
    memory.original = false;
    context.trigger('edit', {id: value.id, text: null});
  };
})();
