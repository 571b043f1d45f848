// Messages of what is answered at once, beside Gradio's queue: Gradio shows neither what is said of such an event nor why it
// failed. They come in a header of the answer, an error in the answer itself, and are shown as Gradio shows its own.
(() => {
  const MOMENT = 500; // ms until a message is on the page
  const IN_PASSING = 4000; // ms after which what is said in passing goes again, if nothing else has been said since
  const said = new Map();
  const escaped = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
  const isShown = (text) =>
    [...document.querySelectorAll('.toast-message-text')].some((node) => node.textContent === text);

  // level: info, warning or error. What fails again and again is said once, for as long as it is on the page. The header
  // sets how a message gets there (`studio.toast`).
  studio.say = (level, text) => {
    const now = Date.now();
    if (now - (said.get(text) ?? -Infinity) < MOMENT || isShown(text)) return;
    said.set(text, now);
    studio.toast?.(level, escaped(text));
    if (level !== 'info') return;
    setTimeout(() => {
      const shown = document.querySelector('.toast-body.info');
      const texts = [...(shown?.querySelectorAll('.toast-message-text') ?? [])];
      if (texts.at(-1)?.textContent === text) shown.querySelector('.toast-close').click();
    }, IN_PASSING);
  };

  const tell = async (response) => {
    const told = response.headers.get('x-messages');
    for (const [level, text] of told ? JSON.parse(told) : []) studio.say(level, text);
    if (response.ok) return;
    const {error} = await response
      .clone()
      .json()
      .catch(() => ({})); // a proxy's own page
    if (typeof error === 'string' && error) studio.say('error', error);
  };

  const fetched = window.fetch;
  window.fetch = function fetch(resource, options) {
    const answer = fetched.call(this, resource, options);
    if (/\/gradio_api\/(run|queue\/join)/.test(String(resource?.url ?? resource))) answer.then(tell, () => {});
    return answer;
  };
})();
