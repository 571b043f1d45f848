// What somebody does is sent in the order in which they do it, and numbered: requests that are sent at once may arrive in any
// order. An act waits for the answer to the one before it, or for the word that the one before it waits in Gradio's queue;
// there the server keeps the order by the numbers (iterit_ui/access/act_order.py).
(() => {
  const PATIENCE = 20000; // ms after which an act is sent without that
  const fetched = window.fetch;
  let before = Promise.resolve();
  let number = 0;

  const isAct = (url, body) => {
    if (typeof body !== 'string' || !/\/gradio_api\/(run|queue\/join)/.test(url)) return false;
    return Boolean(window.gradio_config?.acts?.includes(JSON.parse(body).fn_index));
  };

  window.fetch = function fetch(resource, options) {
    if (!isAct(String(resource?.url ?? resource), options?.body)) return fetched.call(this, resource, options);
    const headers = new Headers(options.headers);
    headers.set('x-act', String(++number));
    const answer = before.then(() => fetched.call(this, resource, {...options, headers}));
    const patience = new Promise((go) => setTimeout(go, PATIENCE));
    before = Promise.race([answer.catch(() => {}), patience]);
    return answer;
  };
})();
