// What is cut off with an ellipsis says in full what it is when it is pointed at.
(() => {
  let told = null; // what got its title here, so that it goes again where the text changes or has room

  const cut = (node) => node.scrollWidth > node.clientWidth + 1 && getComputedStyle(node).textOverflow === 'ellipsis';

  document.addEventListener('mouseover', ({target}) => {
    if (told) {
      told.removeAttribute('title');
      told = null;
    }
    let node = target instanceof Element ? target : null;
    for (let up = 0; node && up < 3; up++, node = node.parentElement) {
      if (node.title) return;
      const field = node.tagName === 'INPUT' && node.type === 'text';
      const chosen = node.tagName === 'SELECT' ? node.selectedOptions[0]?.textContent : ''; // nothing tells whether it is cut
      if (chosen || (field ? node.scrollWidth > node.clientWidth + 1 : cut(node))) {
        node.title = (chosen || (field ? node.value : node.textContent)).slice(0, 400);
        told = node;
        return;
      }
    }
  });
})();
