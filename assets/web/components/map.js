// The map: one point per sample. Coordinates come once per map, a byte per sample with every value; a value that
// changes only the open sample moves a ring and draws no point.
(() => {
  const {h} = studio;
  const PLAIN_LIMIT = 6000; // points that a page without WebGL still draws at once
  const AROUND = 0.03; // of a side, left free around the points
  const NEAR = 9; // px from a point within which it is meant
  const DETAILED = 2.5; // times as near as the whole map, from which what is in sight is named
  const STILL = 250; // ms that the map rests before these names are asked for

  const FAINT = 0,
    UNKNOWN = 1,
    USUAL = 2,
    ABOVE = 3,
    NOWHERE = 4; // layers of points, the last is not drawn

  const bit = (bits, i) => (bits ? (bits[i >> 3] >> (i & 7)) & 1 : 0);

  // The colours of all codes, [r, g, b] each: a palette, or a scale of 0 to 254 with 255 for unknown.
  const shades = (value) => {
    if (!value.scale) return (value.palette || []).map((name) => studio.rgb(studio.colour(name)));
    const stops = value.scale.colours.map((name) => studio.rgb(studio.colour(name)));
    const made = [];
    for (let code = 0; code < 255; code++) {
      const at = (code / 254) * (stops.length - 1);
      const low = Math.min(Math.floor(at), stops.length - 2);
      made.push(stops[low].map((part, k) => part + (stops[low + 1][k] - part) * (at - low)));
    }
    return [...made, studio.rgb(studio.colour('--pool'))];
  };

  studio.map = (context) => {
    const {trigger, server, element} = context;
    const state = {
      key: null,
      n: 0,
      x: null,
      y: null,
      value: null,
      box: null,
      view: null,
      near: null,
      codes: null,
      dim: null,
      above: null,
      bytes: null,
      layers: null,
      surface: [0, 0, 0],
      drawn: null,
      inside: null,
      showLabels: null, // the names of clusters, and of what is in sight
      showDetail: true,
      texts: new Map(),
      wanted: -1,
      named: '', // the part of the map that the names in sight are of
    };
    let resting = 0; // the timer until the map has come to rest
    let parts, canvas, drawer, tools, names;

    const whole = () => ({...state.box});
    const size = () => ({width: canvas.clientWidth, height: canvas.clientHeight});
    const toPixel = (x, y) => {
      const {width, height} = size();
      const {x0, x1, y0, y1} = state.view;
      return [((x - x0) / (x1 - x0)) * width, ((y1 - y) / (y1 - y0)) * height];
    };
    const toData = (px, py) => {
      const {width, height} = size();
      const {x0, x1, y0, y1} = state.view;
      return [x0 + (px / width) * (x1 - x0), y1 - (py / height) * (y1 - y0)];
    };

    // Colours and layers of all points, for the graphics card.
    const colour = () => {
      const {n, codes, dim, above, inside, x, value} = state;
      const table = shades(value);
      const top = new Set(value.top || []);
      const high = Array.from({length: 256}, (_, code) => top.has(code));
      const packed = new Uint32Array(256);
      for (let code = 0; code < 256; code++) {
        const [r, g, b] = table[Math.min(code, table.length - 1)] || [128, 128, 128];
        packed[code] = (b << 16) | (g << 8) | r;
      }
      const unknown = value.scale ? (value.scale.unknown ?? 255) : -1;
      const layers = new Uint8Array(n);
      const bytes = new Uint32Array(n);
      for (let i = 0; i < n; i++) {
        const layer = Number.isNaN(x[i])
          ? NOWHERE
          : bit(dim, i) || (inside && !bit(inside, i))
            ? FAINT
            : high[codes[i]] || bit(above, i)
              ? ABOVE
              : codes[i] === unknown
                ? UNKNOWN
                : USUAL;
        layers[i] = layer;
        bytes[i] = packed[codes[i]];
      }
      state.layers = layers;
      state.surface = studio.rgb(studio.colour('--surface'));
      drawer.colours(new Uint8Array(bytes.buffer), layers);
    };

    const looks = () => {
      const small = state.n > 20000 ? 3 : state.n > 5000 ? 4 : 5;
      const grown =
        small * Math.min(2, Math.max(1, ((state.box.x1 - state.box.x0) / (state.view.x1 - state.view.x0)) ** 0.3));
      return [
        {size: grown, opacity: 0.13, rim: 0},
        {size: grown, opacity: 0.4, rim: 0},
        {size: grown, opacity: state.value.scale ? 0.75 : 0.6, rim: 0},
        {size: grown + 2.5, opacity: 1, rim: 0.8},
      ];
    };

    const show = () => {
      const {width, height} = size();
      if (!width || !state.view) return; // in a tab that is not open
      const ratio = window.devicePixelRatio || 1;
      const [w, t] = [Math.round(width * ratio), Math.round(height * ratio)];
      if (canvas.width !== w || canvas.height !== t) [canvas.width, canvas.height] = [w, t];
      drawer.draw(state.view, looks(), state.surface, ratio);
      ring();
      tools.outline(state.drawn);
      names.place(state, size(), toPixel);
      detail();
    };

    // Names of what is in sight, once the map is near enough and rests.
    const detail = () => {
      const {key, view, box} = state;
      const part = [view.x0, view.x1, view.y0, view.y1];
      const wanted = state.showDetail && (box.x1 - box.x0) / (part[1] - part[0]) >= DETAILED ? [key, ...part] : [];
      if (state.named === String(wanted)) return;
      state.named = String(wanted);
      clearTimeout(resting);
      if (!wanted.length) {
        names.detail([]);
        return;
      }
      resting = setTimeout(async () => {
        const found = await server.detail(wanted);
        if (state.named !== String(wanted)) return;
        names.detail(found?.labels || []);
        names.place(state, size(), toPixel);
        parts.stage.dataset.detail = String(found?.labels?.length ?? 0);
      }, STILL);
    };

    // A ring around the sample that is open.
    const ring = () => {
      const row = state.value?.highlight;
      const placed = Number.isInteger(row) && row >= 0 && row < state.n && !Number.isNaN(state.x[row]);
      const [px, py] = placed ? toPixel(state.x[row], state.y[row]) : [-1, -1];
      const {width, height} = size();
      parts.ring.hidden = !placed || px < 0 || py < 0 || px > width || py > height;
      parts.ring.style.transform = `translate(${px}px, ${py}px)`;
    };

    // The row drawn at a place, the uppermost of those that are near enough; -1 for none.
    const rowAt = (px, py) => {
      if (!state.near || !state.layers) return -1;
      const [x0, y1] = toData(px - NEAR, py - NEAR);
      const [x1, y0] = toData(px + NEAR, py + NEAR);
      let [best, least] = [-1, Infinity];
      state.near(x0, x1, y0, y1, (row) => {
        const [qx, qy] = toPixel(state.x[row], state.y[row]);
        const away = Math.hypot(qx - px, qy - py);
        // a point above counts as nearer than those beneath it, a faint one as farther
        const weighed = away + (state.layers[row] === FAINT ? NEAR : state.layers[row] === ABOVE ? -2 : 0);
        if (away <= NEAR && weighed <= least) [best, least] = [row, weighed];
      });
      return best;
    };

    const hover = async (px, py) => {
      const row = px === null ? -1 : rowAt(px, py);
      canvas.parentElement.classList.toggle('over', row >= 0);
      if (row === state.wanted) return;
      state.wanted = row;
      parts.tip.hidden = true;
      if (row < 0) return;
      const {key, texts} = state;
      await new Promise((resolve) => {
        setTimeout(resolve, 60);
      });
      if (state.wanted !== row || state.key !== key) return;
      if (!texts.has(row)) {
        if (texts.size > 500) texts.clear();
        texts.set(row, await server.hover([key, row]));
      }
      const text = texts.get(row);
      if (state.wanted !== row || state.key !== key || !text) return;
      const {tip} = parts;
      const {width, height} = size();
      const [qx, qy] = toPixel(state.x[row], state.y[row]);
      tip.replaceChildren(h('b', '', text.title || ''), h('span', '', text.error || text.text));
      tip.hidden = false;
      tip.style.left = `${Math.max(4, Math.min(qx + 14, width - tip.offsetWidth - 4))}px`;
      tip.style.top = `${Math.max(4, qy + 14 + tip.offsetHeight > height ? qy - tip.offsetHeight - 10 : qy + 14)}px`;
    };

    // Somebody drew around samples: a polygon in the map's coordinates.
    const around = (polygon) => {
      const found = studio.within(polygon, state.x, state.y);
      if (!found.count) return;
      Object.assign(state, {drawn: polygon, inside: found.bits});
      told(found.count);
      colour();
      show();
      trigger('lasso', {key: state.key, n: state.n, count: found.count, bits: studio.base64(found.bits)});
    };
    const told = (count) => {
      parts.drawn.hidden = !count;
      parts.drawn.firstElementChild.textContent = count ? `${studio.count(count)} inside your outline` : '';
    };
    const forget = () => {
      Object.assign(state, {drawn: null, inside: null});
      told(0);
    };
    const clear = () => {
      if (parts.drawn.hidden) return;
      forget();
      colour();
      show();
      trigger('clear', {key: state.key});
    };

    const build = (root) => {
      canvas = root.querySelector('canvas');
      const stage = canvas.parentElement;
      parts = {
        stage,
        bar: root.querySelector('.st-map-bar'),
        ring: h('div', 'st-ring'),
        tip: h('div', 'st-tip'),
        first: h('div', 'st-map-first'),
        scale: h('div', 'st-map-scale'),
        drawn: h('div', 'st-map-drawn', null, h('span'), studio.button('', '✕', 'Clear the outline', clear)),
      };
      parts.ring.hidden = parts.tip.hidden = parts.first.hidden = parts.drawn.hidden = true;
      names = studio.mapLabels(stage, {
        openCluster: (cluster) => trigger('cluster', {cluster}),
        openSample: (row) => trigger('pick', {key: state.key, row}),
        zoomTo: ([x0, x1, y0, y1]) => {
          state.view = {x0, x1, y0, y1};
          show();
        },
      });
      stage.append(parts.ring, parts.first, parts.drawn, parts.tip);
      drawer = studio.points(canvas, () => {
        drawer.places(state.x, state.y);
        colour();
        show();
      });
      element.dataset.webgl = String(drawer.webgl);
      tools = studio.mapTools(parts, {
        view: () => state.view,
        whole,
        show,
        toData,
        toPixel,
        hover,
        around,
        clear,
        move: (view) => {
          state.view = view;
          parts.tip.hidden = true;
          show();
        },
        pick: (px, py) => {
          const row = rowAt(px, py);
          if (row >= 0) trigger('pick', {key: state.key, row});
        },
        mode: (key) => trigger('mode', {key}),
        labels: (on) => {
          state.showLabels = state.showDetail = on;
          show();
        },
      });
      // for tests: how many points there are, and where on the screen a sample is
      stage.place = (row) => {
        const box = canvas.getBoundingClientRect();
        const [px, py] = toPixel(state.x[row], state.y[row]);
        return {x: box.left + px, y: box.top + py};
      };
      studio.onTheme(() => {
        if (state.value?.codes && state.view) {
          legend(state.value);
          colour();
          show();
        }
      });
      new ResizeObserver(() => {
        if (state.value?.codes && state.view) show();
      }).observe(canvas);
    };

    const legend = (value) => {
      const {scale} = value;
      parts.scale.hidden = !scale;
      if (!scale) return;
      const band = h('i');
      band.style.background = `linear-gradient(to right, ${scale.colours.map((name) => studio.token(name)).join(', ')})`;
      const unknown = state.codes.includes(scale.unknown ?? 255);
      parts.scale.replaceChildren(
        h('span', 'num', scale.low),
        band,
        h('span', 'num', scale.high),
        ...(unknown ? [h('em', '', 'unknown')] : []),
      );
    };

    const load = async (value) => {
      const found = await server.coordinates([value.key]);
      if (!found || found.error) return found?.error || 'The map could not be read.';
      const [x, y] = [found.x, found.y].map((text) => new Float32Array(studio.bytes(text).buffer));
      const ends = (numbers) => {
        let [low, high] = [Infinity, -Infinity];
        for (const v of numbers) {
          if (v < low) low = v;
          if (v > high) high = v;
        }
        const room = AROUND * (high - low) || 1;
        return low <= high ? [low - room, high + room] : [0, 1];
      };
      const [[x0, x1], [y0, y1]] = [ends(x), ends(y)];
      Object.assign(state, {
        key: value.key,
        n: found.n,
        x,
        y,
        box: {x0, x1, y0, y1},
        view: {x0, x1, y0, y1},
        near: studio.grid(x, y, {x0, x1, y0, y1}),
        codes: null,
        texts: new Map(),
        wanted: -1,
      });
      forget();
      if (drawer.webgl || state.n <= PLAIN_LIMIT) drawer.places(x, y);
      return '';
    };

    const draw = async (value, root) => {
      if (!parts) build(root);
      const body = root.querySelector('.st-map-body');
      let empty = root.querySelector('.st-empty');
      const say = (text) => {
        if (!empty) {
          empty = h('div', 'st-empty');
          body.after(empty);
        }
        empty.textContent = text;
        body.hidden = parts.bar.hidden = true;
      };
      const last = state.value;
      const same = (...keys) =>
        last && keys.every((name) => JSON.stringify(last[name]) === JSON.stringify(value[name]));
      if (!value || !same('title', 'note', 'legend')) studio.head(root, value || {});
      root.querySelector('.st-chart-head').classList.toggle('shared', Boolean(value?.legend_shared));
      state.value = value;
      if (!value || value.empty || !value.codes) return say(value?.empty || '');
      const moved = value.key !== state.key;
      if (moved) {
        const problem = await load(value);
        if (problem) return say(problem);
      }
      if (!drawer.webgl && state.n > PLAIN_LIMIT) {
        return say(
          'This browser has no WebGL, which a map of this many samples needs. The table below lists the same samples, and everything else on this page works.',
        );
      }
      empty?.remove();
      body.hidden = parts.bar.hidden = false;
      if (
        !moved &&
        state.codes &&
        empty === null &&
        same('codes', 'dim', 'above', 'top', 'palette', 'scale', 'drawn')
      ) {
        if (!same('labels')) names.clusters(value.labels);
        if (same('labels', 'mode', 'modes', 'final')) ring();
        else {
          dress(value);
          show();
        }
        return;
      }
      state.codes = studio.bytes(value.codes);
      if (state.codes.length !== state.n) return say('This map belongs to other samples. Reload the page.');
      state.dim = value.dim ? studio.bytes(value.dim) : null;
      state.above = value.above ? studio.bytes(value.above) : null;
      // the page took away what was drawn around, or says how many it is after a reload
      if (value.drawn === null && typeof last?.drawn === 'number') forget();
      if (typeof value.drawn === 'number' && !state.drawn) told(value.drawn);
      if (moved || !same('labels')) names.clusters(value.labels);
      dress(value);
      legend(value);
      colour();
      show();
      parts.stage.dataset.points = state.n;
    };

    const dress = (value) => {
      if (state.showLabels === null) state.showLabels = value.show_labels !== false;
      tools.dress(value, state.showLabels, parts.scale);
      parts.first.hidden = value.final !== false;
      parts.first.textContent = 'First picture. UMAP is still being computed.';
    };

    studio.mount(context, draw);
  };
})();
