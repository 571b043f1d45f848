// The page's header: who sits before it and the switch between light and dark, both remembered in this browser; the glossary.
(() => {
  const {h} = studio;

  // The name that stands beside marks and notes.
  const person = (trigger) => {
    const input = h('input');
    Object.assign(input, {
      type: 'text',
      maxLength: 40,
      placeholder: 'your name',
      autocomplete: 'off',
      spellcheck: false,
    });
    input.title = 'shown next to what you pin, exclude and note';
    let told = localStorage.getItem('studio-name') || '';
    input.value = told;
    const tell = () => {
      const name = input.value.trim().replace(/\s+/g, ' ');
      input.value = name;
      if (name === told) return;
      told = name;
      localStorage.setItem('studio-name', name);
      trigger('name', {name});
    };
    input.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') input.blur();
      if (event.key === 'Escape') {
        input.value = told;
        input.blur();
      }
    });
    input.addEventListener('blur', tell);
    // another tab of this browser is the same person
    window.addEventListener('storage', (event) => {
      if (event.key !== 'studio-name' || document.activeElement === input) return;
      input.value = event.newValue || '';
      told = input.value;
      trigger('name', {name: told});
    });
    trigger('name', {name: told});
    return h('label', 'st-you', null, h('span', '', 'You:'), input);
  };

  // A dialog of the browser's own, which keeps the focus and closes with Esc.
  const glossary = (element) => {
    const dialog = element.querySelector('dialog.st-glossary');
    element.querySelector('.st-glossary-button').addEventListener('click', () => dialog.showModal());
    // a click beside the sheet closes it
    dialog.addEventListener('click', (event) => {
      if (event.target === dialog) dialog.close();
    });
  };

  // The address holds what is shown, so its text is the link.
  const link = (button) => {
    const usual = button.textContent;
    let timer;
    button.addEventListener('click', async () => {
      button.textContent = (await studio.copy(location.href)) ? 'Copied' : 'Copy the address';
      clearTimeout(timer);
      timer = setTimeout(() => (button.textContent = usual), 2000);
    });
  };

  studio.header = ({element, trigger}) => {
    studio.toast = trigger; // messages.js; Gradio shows what a component tells it under the names info, warning and error
    const stored = localStorage.getItem('studio-theme');
    if (stored && !new URL(location.href).searchParams.has('__theme'))
      document.body.classList.toggle('dark', stored === 'dark');
    const button = element.querySelector('.st-theme');
    const show = () =>
      button.setAttribute(
        'aria-label',
        document.body.classList.contains('dark') ? 'Switch to light' : 'Switch to dark',
      );
    button.addEventListener('click', () => {
      const dark = document.body.classList.toggle('dark');
      localStorage.setItem('studio-theme', dark ? 'dark' : 'light');
      show();
    });
    show();
    // to what the open step shows; the address stays as it is
    element.querySelector('.st-skip').addEventListener('click', (event) => {
      event.preventDefault();
      const screen = [...document.querySelectorAll('#steps > .tabitem')].find(studio.visible);
      if (!screen) return;
      screen.tabIndex = -1;
      screen.focus();
    });
    button.before(person(trigger));
    glossary(element);
    link(element.querySelector('.st-link-button'));
    element.querySelector('.st-present-button').addEventListener('click', () => studio.openPresent());
    element.firstElementChild.dataset.rev = '1';
  };
})();
