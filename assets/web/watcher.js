// Asks once a second whether something that this page shows has been changed elsewhere, and says so with an event.
(() => {
  const EVERY = 1000; // ms

  studio.watcher = ({element, trigger, server}) => {
    let known = null;
    let at = '';
    const look = async () => {
      if (document.hidden) return;
      const query = new URL(location.href).searchParams;
      const asked = ['pool', 'run', 'tab'].map((name) => query.get(name) || '');
      const found = await server.look(asked);
      if (!found || found.error) return;
      // what differs because something else is looked at is no change
      const same = asked.join('|') === at;
      const other = found.stamp !== known;
      [at, known] = [asked.join('|'), found.stamp];
      if (same && other) trigger('changed', {});
    };
    const go = () => look().catch((error) => console.warn('studio: the watcher got no answer', error)).finally(() => setTimeout(go, EVERY));
    setTimeout(go, EVERY);
    element.firstElementChild.dataset.rev = '1';
  };
})();
