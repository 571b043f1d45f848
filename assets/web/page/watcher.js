// Asks once a second whether something that this page shows has been changed elsewhere, and tells the screens (screen.js).
(() => {
  const EVERY = 1000; // ms, where an answer says nothing else
  const PATIENCE = 10; // times as long as an answer took it waits until it asks again: where many look, none is held up by looking
  const LONGEST = 4000; // ms; a busy machine answers late, and what was done elsewhere is seen all the same
  const RUNS = new Set(['tune', 'epochs']); // tabs that show what a worker writes

  studio.watcher = ({element, server}) => {
    let known = {};
    let at = '';
    let every = EVERY;
    let timer = 0;
    const look = async () => {
      if (document.hidden) return;
      const query = new URL(location.href).searchParams;
      const asked = ['pool', 'run', 'tab'].map((name) => query.get(name) || '');
      const began = performance.now();
      const found = await server.look(asked);
      if (!found || found.error) return;
      every = Math.max(Number(found.every) || EVERY, Math.min(LONGEST, PATIENCE * (performance.now() - began)));
      // What differs because something else is looked at is no change. A run may have gone on between drawing its tab and
      // this answer, though: the tabs of runs are told, and draw nothing where they are up to date.
      const same = asked.join('|') === at;
      const changed = Object.keys(found.stamps).filter((name) => found.stamps[name] !== known[name]);
      [at, known] = [asked.join('|'), found.stamps];
      if (changed.length && (same || RUNS.has(asked[2]))) studio.tell(...changed);
    };
    const go = () =>
      look()
        .catch((error) => console.warn('studio: the watcher got no answer', error))
        .finally(() => {
          timer = setTimeout(go, every);
        });
    timer = setTimeout(go, EVERY);
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) {
        clearTimeout(timer);
        go();
      }
    });
    element.firstElementChild.dataset.rev = '1';
  };
})();
