// The address bar mirrors the session. Another tab, run, epoch or comparison is an entry of the browser's history: Back and
// Forward open the tab of the entry, and ask the server for the run, epoch and comparison that were looked at there.
(() => {
  const TAB = '#steps button[role=tab]';
  const here = () => document.querySelector(`${TAB}[aria-selected=true]`)?.dataset.tabId;
  const STEPS = {tune: ['run'], epochs: ['run', 'epoch'], compare: ['comparison', 'runs']};
  const QUICK = 1500; // ms: epochs that are played or stepped through are one entry
  const LATE = 10000; // ms after which an answer to Back is not waited for any more
  const named = () => new URL(location.href).searchParams.get('tab') || 'data';

  studio.address = (context) => {
    let started = false; // the address has been read, and the session's first view written
    let going = ''; // the tab that Back or Forward leads to, until it is open
    let returned = 0; // when Back or Forward was used, until the server has answered
    let entered = 0; // when the last entry was made
    let tabbed = false; // it was of a tab: what that tab opens at once belongs to it

    // What is a step on this tab from one address to another: a name of STEPS, or ''. The first run that is opened by itself
    // is none.
    const stepOf = (from, to) => {
      if (from.get('tab') !== to.get('tab')) return '';
      const value = (params, name) => params.get(name) || (name === 'epoch' && from.has('run') ? '0' : '');
      const names = STEPS[to.get('tab')] || [];
      return names.find((name) => value(from, name) !== value(to, name) && value(from, name) !== '') || '';
    };

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
      entered = Date.now();
      tabbed = true;
    };

    addEventListener('popstate', () => {
      const tab = named();
      const button = document.querySelector(`${TAB}[data-tab-id="${CSS.escape(tab)}"]`);
      if (!started || !button) return; // a part of the page that is no tab (#...)
      if (here() !== tab) {
        going = tab;
        button.click();
      }
      returned = Date.now();
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
      // the story that is shown to others is the page's own
      const kept = (key) => key.startsWith('__') || key === 'present';
      for (const key of [...url.searchParams.keys()]) if (!kept(key)) url.searchParams.delete(key);
      for (const [key, item] of Object.entries(value)) url.searchParams.set(key, item);
      const step = stepOf(new URL(location.href).searchParams, url.searchParams);
      const now = Date.now();
      if (returned && step && now - returned < LATE) return; // an answer to an entry that was passed
      const back = returned;
      returned = 0;
      if (url.href === location.href) return;
      if (step && !back && !(now - entered < QUICK && (step === 'epoch' || tabbed))) {
        history.pushState(history.state, '', url);
        entered = now;
        tabbed = false;
      } else history.replaceState(history.state, '', url);
    });
  };
})();
