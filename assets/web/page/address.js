// The address bar mirrors the session, and each change of the tab is an entry of the browser's history: Back and Forward
// open the tab of the entry, and ask the server for the run, epoch and comparison that were looked at there.
(() => {
  const TAB = '#steps button[role=tab]';
  const here = () => document.querySelector(`${TAB}[aria-selected=true]`)?.dataset.tabId;
  const named = () => new URL(location.href).searchParams.get('tab') || 'data';

  studio.address = (context) => {
    let started = false; // the address has been read, and the session's first view written
    let going = ''; // the tab that Back or Forward leads to, until it is open

    const moved = () => {
      const tab = here();
      if (going) {
        if (tab === going) going = '';
        return;
      }
      if (!started || !tab || tab === named()) return;
      const url = new URL(location.href);
      url.searchParams.set('tab', tab);
      history.pushState(history.state, '', url);
    };

    addEventListener('popstate', () => {
      const tab = named();
      const button = document.querySelector(`${TAB}[data-tab-id="${CSS.escape(tab)}"]`);
      if (!started || !button) return; // a part of the page that is no tab (#...)
      if (here() !== tab) {
        going = tab;
        button.click();
      }
      context.trigger('back', Object.fromEntries(new URL(location.href).searchParams));
    });

    // written only after the address has been read (the first value is null)
    studio.mount(context, (value) => {
      if (!value) return;
      if (!started) {
        started = true;
        new MutationObserver(moved).observe(document.querySelector('#steps') || document.body, {
          subtree: true,
          attributes: true,
          attributeFilter: ['aria-selected'],
        });
      } else moved();
      // the tab that is open here wins: somebody may have clicked before the page had started
      value.tab = going || here() || value.tab;
      const url = new URL(location.href);
      for (const key of [...url.searchParams.keys()]) if (!key.startsWith('__')) url.searchParams.delete(key);
      for (const [key, item] of Object.entries(value)) url.searchParams.set(key, item);
      if (url.href !== location.href) history.replaceState(history.state, '', url);
    });
  };
})();
