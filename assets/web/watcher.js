// Asks once a second whether something that this page shows has been changed elsewhere, and says so with an event.
(() => {
  const EVERY = 1000; // ms

  studio.watcher = ({element, trigger, server}) => {
    let known = null;
    let at = '';
    const look = async () => {
      const pool = new URL(location.href).searchParams.get('pool') || '';
      if (document.hidden || !pool) return;
      const found = await server.look([pool]);
      if (!found || found.error) return;
      const same = pool === at && found.stamp !== known;
      [at, known] = [pool, found.stamp];
      if (same) trigger('changed', {});
    };
    const go = () => look().catch((error) => console.warn('studio: the watcher got no answer', error)).finally(() => setTimeout(go, EVERY));
    setTimeout(go, EVERY);
    element.firstElementChild.dataset.rev = '1';
  };
})();
