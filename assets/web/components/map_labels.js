// Names of clusters on the map, as many as find room.
(() => {
  const APART = 6; // px from the middle of a cluster to its name
  const GAP = 3; // px between two names

  // stage: the map's element. open(cluster) when a name is chosen by keyboard; presses are the map's, see map_tools.
  // Returns {make(labels), place(shown, {width, height}, toPixel)}.
  studio.mapLabels = (stage, open) => {
    const box = studio.h('div', 'st-map-labels');
    stage.append(box);
    return {
      make: (labels) =>
        box.replaceChildren(
          ...(labels || []).map(({x, y, text, cluster}) => {
            const node = studio.button('st-map-label', text, `List the samples of “${text}”`, (event) => {
              if (!event.detail) open(cluster);
            });
            return Object.assign(node, {cluster, at: [x, y], size: null});
          }),
        ),
      // The first names are placed first: above the middle of their cluster, else below it, else not at all.
      place: (shown, {width, height}, toPixel) => {
        box.hidden = !shown;
        if (!shown) return;
        const taken = [];
        for (const node of box.children) {
          if (!node.size) {
            node.hidden = false;
            node.size = [node.offsetWidth, node.offsetHeight];
          }
          const [w, t] = node.size;
          const [px, py] = toPixel(...node.at);
          const left = Math.max(2, Math.min(px - w / 2, width - w - 2));
          const top = [py - t - APART, py + APART].find(
            (o) =>
              px >= 0 &&
              px <= width &&
              o >= 2 &&
              o + t <= height - 2 &&
              !taken.some(([l, u, r, d]) => left < r + GAP && left + w > l - GAP && o < d + GAP && o + t > u - GAP),
          );
          node.hidden = top === undefined;
          if (node.hidden) continue;
          taken.push([left, top, left + w, top + t]);
          node.style.transform = `translate(${left}px, ${top}px)`;
        }
      },
    };
  };
})();
