// Names on the map, as many as find room: of clusters, and of what is in sight once somebody has zoomed in.
(() => {
  const APART = 6; // px from a point to its name
  const GAP = 3; // px between two names

  // stage: the map's element. Each name's node can be chosen: by keyboard here, presses are the map's, see map_tools.
  // Returns {clusters(labels), detail(labels), place({showLabels, showDetail}, {width, height}, toPixel)}.
  studio.mapLabels = (stage, {openCluster, openSample, zoomTo}) => {
    const box = studio.h('div', 'st-map-labels');
    const [near, far] = [studio.h('div'), studio.h('div')];
    box.append(far, near);
    stage.append(box);
    const named = ({x, y, text}, title, kind, choose) => {
      const node = studio.button(`st-map-label ${kind}`, text, title, (event) => {
        if (!event.detail) choose();
      });
      return Object.assign(node, {choose, at: [x, y], size: null});
    };
    const detailed = (label) =>
      label.row === undefined
        ? named(label, `Zoom in on ${studio.count(label.n)} samples: “${label.text}”`, 'area', () => zoomTo(label.box))
        : named(label, 'Open this sample', 'sample', () => openSample(label.row));
    return {
      clusters: (labels) =>
        far.replaceChildren(
          ...(labels || []).map((label) =>
            named(label, `List the samples of “${label.text}”`, 'cluster', () => openCluster(label.cluster)),
          ),
        ),
      detail: (labels) => near.replaceChildren(...labels.map(detailed)),
      // The first names are placed first: above their point, else below it, else not at all.
      place: ({showLabels, showDetail}, {width, height}, toPixel) => {
        far.hidden = !showLabels;
        near.hidden = !showDetail;
        const taken = [];
        for (const node of [...(showLabels ? far.children : []), ...(showDetail ? near.children : [])]) {
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
