// A line at the top of the page and another pointer while an answer is awaited for longer than a moment. Nobody awaits what
// the page draws because somebody else did something.
(() => {
  const MOMENT = 150; // ms
  const asks = (url, body) => {
    if (!/\/gradio_api\/(run|component_server)\//.test(url)) return false;
    const sent = typeof body === 'string' ? JSON.parse(body) : {};
    return sent.fn_name !== 'look' && !window.gradio_config?.unasked?.includes(sent.fn_index); // watcher.js
  };
  let open = 0;
  let timer = 0;

  const show = (on) => document.body.classList.toggle('awaiting', on);
  const begin = () => {
    open += 1;
    if (open === 1) timer = setTimeout(show, MOMENT, true);
  };
  const end = () => {
    open -= 1;
    if (open) return;
    clearTimeout(timer);
    show(false);
  };

  // Gradio tells nobody when it asks, so what it asks with is watched.
  const fetched = window.fetch;
  window.fetch = function fetch(resource, options) {
    const answer = fetched.call(this, resource, options);
    if (asks(String(resource?.url ?? resource), options?.body)) {
      begin();
      answer.then(end, end);
    }
    return answer;
  };
})();
