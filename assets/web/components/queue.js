// The line in which the events of controls wait for the server.
(() => {
  const PATIENCE = 1500; // ms after which an answer is no longer waited for

  // At most one event is under way; of those that wait, each control keeps its latest. `seq` numbers what was sent, and
  // the server's value says up to which number it has been handled.
  // settled: whether everything that was sent has been answered; on(idle) tells of a change.
  studio.queue = (trigger, on = () => {}) => {
    const waiting = new Map();
    const last = new Map();
    let seq = 0;
    let flying = 0;
    let timer = 0;
    let known = 0; // the number up to which the server has answered
    const tell = () => on(!waiting.size && known >= seq);
    const pump = () => {
      tell();
      if (flying || !waiting.size) return;
      const [key, [event, data]] = waiting.entries().next().value;
      waiting.delete(key);
      flying = ++seq;
      last.set(key, seq);
      timer = setTimeout(() => {
        flying = 0;
        pump();
      }, PATIENCE);
      tell();
      trigger(event, {...data, seq});
    };
    return {
      send(key, event, data) {
        waiting.delete(key); // the latest goes last
        waiting.set(key, [event, data]);
        pump();
      },
      forget(key) {
        waiting.delete(key);
      },
      answered(upTo) {
        if (flying && (upTo ?? Infinity) >= flying) {
          clearTimeout(timer);
          flying = 0;
        }
        known = Math.max(known, upTo ?? 0);
        seq = Math.max(seq, known); // numbers go on after a reload
        pump();
      },
      // whether the server does not know yet what was last done with this control
      holds: (key, upTo) => waiting.has(key) || (last.get(key) ?? 0) > (upTo ?? Infinity),
    };
  };
})();
