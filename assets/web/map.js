// The map: one point per sample. Coordinates come once per pool, colours as a byte per sample with every value.
(() => {
  const CONFIG = {responsive: false, displaylogo: false, showSendToCloud: false, plotlyServerURL: '',
    scrollZoom: false, displayModeBar: true, doubleClick: 'reset',
    modeBarButtonsToRemove: ['toImage', 'autoScale2d', 'hoverClosestCartesian', 'hoverCompareCartesian', 'toggleSpikelines']};
  const SVG_LIMIT = 6000; // points that a page without WebGL still draws in a second
  const webgl = () => {
    try {
      const canvas = document.createElement('canvas');
      return Boolean(canvas.getContext('webgl') || canvas.getContext('experimental-webgl'));
    } catch { return false; }
  };

  const layout = (key) => {
    const axis = {showgrid: false, zeroline: false, showticklabels: false, ticks: '', fixedrange: false, title: {text: ''}};
    return {...studio.layout({}), uirevision: key, dragmode: 'lasso', margin: {l: 4, r: 4, t: 4, b: 4},
      xaxis: {...axis}, yaxis: {...axis}, // no scale: only who is near whom means something
      modebar: {bgcolor: 'rgba(0,0,0,0)', color: studio.colour('--text-3'), activecolor: studio.colour('--text-1'), orientation: 'h'},
      newselection: {line: {color: studio.colour('--text-1'), width: 1, dash: 'dot'}},
      activeselection: {fillcolor: 'rgba(0,0,0,0)'}};
  };

  studio.map = (context) => {
    const {trigger, server, element} = context;
    const state = {key: null, n: 0, x: null, y: null, value: null, rows: [], wired: false};
    const gl = webgl();
    const type = gl ? 'scattergl' : 'scatter';

    // Three traces: everybody, those the value wants on top, and a ring around the sample that is open.
    const traces = () => {
      const {value, x, y, n} = state;
      const codes = studio.bytes(value.codes);
      const palette = value.palette.map((name) => studio.colour(name));
      const scale = palette.flatMap((c, i) => [[i / palette.length, c], [(i + 1) / palette.length, c]]);
      const marker = (color, size, opacity, line) => ({color, size, opacity, cmin: -0.5, cmax: palette.length - 0.5,
        colorscale: scale, line: {width: line, color: studio.colour('--surface')}});
      const top = new Set(value.top || []);
      state.rows = [];
      for (let i = 0; i < n; i++) if (top.has(codes[i]) && !Number.isNaN(x[i])) state.rows.push(i);
      const rows = state.rows;
      const common = {type, mode: 'markers', hoverinfo: 'none', selected: {marker: {opacity: 1}}, unselected: {marker: {opacity: 0.15}}};
      const small = n > 20000 ? 3 : n > 5000 ? 4 : 5;
      const open = Number.isInteger(value.highlight) ? [value.highlight] : [];
      return [
        {...common, x, y, marker: marker(gl ? codes : Array.from(codes), small, 0.6, 0)},
        {...common, x: rows.map((i) => x[i]), y: rows.map((i) => y[i]), marker: marker(rows.map((i) => codes[i]), small + 2.5, 1, 0.8)},
        {...common, type: 'scatter', hoverinfo: 'skip', x: open.map((i) => x[i]), y: open.map((i) => y[i]),
          marker: {size: 16, color: 'rgba(0,0,0,0)', line: {width: 2.5, color: studio.colour('--text-1')}}},
      ];
    };
    const rowOf = (point) => (point.curveNumber === 1 ? state.rows[point.pointIndex] : point.pointIndex);

    const wire = (plot, root) => {
      state.wired = true;
      const tip = root.querySelector('.st-tip');
      const texts = new Map();
      let wanted = -1;
      plot.on('plotly_hover', async (event) => {
        const point = event.points[0];
        if (point.curveNumber > 1) return;
        const row = rowOf(point);
        const key = state.key;
        wanted = row;
        const box = plot.getBoundingClientRect();
        const left = event.event.clientX - box.left;
        const top = event.event.clientY - box.top;
        await new Promise((resolve) => { setTimeout(resolve, 60); });
        if (wanted !== row) return;
        const name = `${key}/${row}`;
        if (!texts.has(name)) {
          if (texts.size > 500) texts.clear();
          texts.set(name, await server.hover([key, row]));
        }
        const text = texts.get(name);
        if (wanted !== row || state.key !== key || !text) return;
        tip.replaceChildren(studio.h('b', '', text.title || ''), studio.h('span', '', text.error || text.text));
        tip.hidden = false;
        tip.style.left = `${Math.max(4, Math.min(left + 14, plot.clientWidth - tip.offsetWidth - 4))}px`;
        tip.style.top = `${Math.max(4, top + 14 + tip.offsetHeight > plot.clientHeight ? top - tip.offsetHeight - 10 : top + 14)}px`;
      });
      plot.on('plotly_unhover', () => { wanted = -1; tip.hidden = true; });
      plot.on('plotly_click', (event) => {
        if (event.points[0].curveNumber <= 1) trigger('pick', {key: state.key, row: rowOf(event.points[0])});
      });
      plot.on('plotly_selected', (event) => {
        if (!event || !event.points.length) return;
        const bits = new Uint8Array(Math.ceil(state.n / 8));
        for (const point of event.points) {
          if (point.curveNumber > 1) continue;
          const row = rowOf(point);
          bits[row >> 3] |= 1 << (row & 7);
        }
        let count = 0;
        for (const byte of bits) for (let b = byte; b; b &= b - 1) count++;
        trigger('lasso', {key: state.key, n: state.n, count, bits: studio.base64(bits)});
      });
      plot.on('plotly_deselect', () => trigger('clear', {key: state.key}));
      studio.follow(plot, paint(plot));
    };
    const paint = (plot) => () => state.value?.codes && studio.plotly.react(plot, traces(), layout(state.key), CONFIG);

    const draw = async (value, root) => {
      const plot = root.querySelector('.st-plot');
      let empty = root.querySelector('.st-empty');
      const say = (text) => {
        if (!empty) { empty = studio.h('div', 'st-empty'); plot.after(empty); }
        empty.textContent = text;
        empty.style.minHeight = '150px';
        plot.hidden = true;
      };
      state.value = value;
      studio.head(root, value || {});
      if (!value || value.empty || !value.codes) return say(value?.empty || '');
      if (value.key !== state.key) {
        const found = await server.coordinates([value.key]);
        if (!found || found.error) return say(found?.error || 'The map could not be read.');
        state.key = value.key;
        state.n = found.n;
        state.x = new Float32Array(studio.bytes(found.x).buffer);
        state.y = new Float32Array(studio.bytes(found.y).buffer);
      }
      if (!gl && state.n > SVG_LIMIT) {
        return say('This browser has no WebGL, which a map of this many samples needs. Everything else on this page works.');
      }
      empty?.remove();
      plot.hidden = false;
      element.dataset.webgl = String(gl);
      await paint(plot)();
      if (!state.wired) wire(plot, root);
    };
    studio.mount(context, draw);
  };
})();
