// A screen that is hidden does no work: what it draws when a state of the session changes is asked for when it is seen,
// once for all that has changed by then. `told` holds the names of the states, as the page hears of them.
(() => {
  const parts = new Set();
  let started = false; // the address has been read
  const waiting = []; // what a person did before that
  const heard = []; // [name, what a part of the page does when it is told]
  let open = null; // the tab that the server knows to be open; null while nothing of it has been built
  let timer = 0;

  const go = () => {
    timer = 0;
    const names = new Set(studio.told.splice(0));
    for (const part of parts) for (const name of names) if (part.known.has(name)) part.due.add(name);
    started ||= names.has('ready');
    if (names.has('ready') || names.has('tab'))
      open = [...parts].find((part) => part.tab && studio.visible(part.panel))?.tab ?? null;
    if (!started) return;
    for (const call of waiting.splice(0)) call();
    for (const [name, call] of heard) if (names.has(name)) call();
    for (const part of parts) part.ask();
  };
  // Calls once the page knows which pool it is about; at once where no screen waits for that.
  studio.afterStart = (call) => (started || !parts.size ? call() : waiting.push(call));

  // Calls once the address has been read, however early it is asked for; at once where that has been.
  studio.onceRead = (call) => (started ? call() : heard.push(['ready', call]));

  // Calls whenever the page is told this name, for what asks the server itself.
  studio.hear = (name, call) => heard.push([name, call]);

  studio.told ||= [];
  studio.tell = (...names) => {
    studio.told.push(...names);
    timer ||= setTimeout(go); // the states of one answer are told of one after another
  };

  studio.screen = ({element, trigger, props}) => {
    const {tab, after, unless} = JSON.parse(props.value);
    const known = new Set([...after, ...unless]);
    const part = {tab, known, due: new Set(known), panel: element.closest('[role=tabpanel]')};
    part.ask = () => {
      if (!part.due.size) return;
      if (tab) {
        if (!studio.visible(part.panel)) return;
        open ??= tab;
        if (open !== tab) return;
      }
      const names = [...part.due];
      part.due.clear();
      if (!unless.some((name) => names.includes(name))) trigger('apply', {after: names});
    };
    parts.add(part);
    element.firstElementChild.dataset.rev = '1';
    studio.tell();
  };
})();
