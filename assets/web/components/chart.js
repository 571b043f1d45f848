// Charts: Plotly with the page's colours and type. No modebar, no upload to anybody's cloud.
(() => {
  const CONFIG = {
    responsive: false,
    displayModeBar: false,
    displaylogo: false,
    showSendToCloud: false,
    plotlyServerURL: '',
    scrollZoom: false,
    doubleClick: 'reset',
  };
  const DATA = new Set(['x', 'y', 'text', 'name', 'customdata', 'ticktext', 'tickvals', 'labels', 'hovertext', 'ids']);
  const LIBRARY = new URL(studio.chartLibrary, document.baseURI);
  const FAILED = 'The chart library could not be loaded. Reload the page to try again.';
  let loading = null;
  // No page waits for the library before there is something to draw.
  const library = () =>
    (loading ||= new Promise((resolve, reject) => {
      const script = studio.h('script');
      script.src = LIBRARY;
      script.onload = () => {
        studio.plotly = window.Plotly;
        resolve();
      };
      script.onerror = () => {
        loading = null;
        reject(new Error(FAILED));
      };
      document.head.append(script);
    }));
  // Where a page has a <base>, Plotly writes the page's whole address into its clip paths, and the bars vanish with
  // the next repaint once the address bar has changed. "./" is what holds without it, too.
  document.querySelector('base[href="./"]')?.remove();

  // Plotly reads a little HTML in labels; what comes from a data set stays as it was written.
  const escape = (value) =>
    typeof value === 'string'
      ? value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
      : Array.isArray(value)
        ? value.map(escape)
        : value;

  // Names of CSS variables become colours, except where the string is data.
  studio.coloured = (value) => {
    if (typeof value === 'string') return value.startsWith('--') ? studio.colour(value) : value;
    if (Array.isArray(value)) return value.map(studio.coloured);
    if (value && typeof value === 'object') {
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [key, DATA.has(key) ? escape(item) : studio.coloured(item)]),
      );
    }
    return value;
  };

  const axis = (given, own) => {
    const title = typeof given?.title === 'string' ? {text: given.title} : given?.title;
    return {...own, ...given, title: title && {standoff: 6, ...title, font: {size: 11.5, color: own.tickfont.color}}};
  };

  // The look of every chart; a figure brings titles, ranges and shapes.
  // dense: for a small panel, whose title says what its axes would.
  studio.layout = (given, dense = false) => {
    const {colour} = studio;
    const grid = colour('--chart-grid');
    const own = {
      gridcolor: grid,
      zerolinecolor: grid,
      linecolor: colour('--line-2'),
      automargin: true,
      tickfont: {size: dense ? 10.5 : 11, color: colour('--text-2')},
      separatethousands: true,
      exponentformat: 'none',
      fixedrange: true,
    };
    const layout = {
      showlegend: false,
      bargap: 0.04,
      autosize: true,
      uirevision: 1,
      hovermode: 'closest',
      dragmode: false,
      margin: {l: 44, r: 12, t: 8, b: 38},
      ...studio.coloured(given || {}),
      paper_bgcolor: 'rgba(0,0,0,0)',
      plot_bgcolor: 'rgba(0,0,0,0)',
      font: {
        family: getComputedStyle(document.querySelector('.gradio-container') || document.body).fontFamily,
        size: 11.5,
        color: colour('--text-2'),
      },
      hoverlabel: {
        bgcolor: colour('--surface'),
        bordercolor: colour('--line-2'),
        font: {color: colour('--text-1'), size: 12},
      },
    };
    for (const key of Object.keys(layout)) if (/^[xy]axis\d*$/.test(key)) layout[key] = axis(layout[key], own);
    layout.xaxis ||= axis({}, {...own, showgrid: false});
    layout.yaxis ||= axis({}, own);
    if (dense) {
      layout.margin = {l: 30, r: 6, t: 4, b: 17};
      for (const one of [layout.xaxis, layout.yaxis]) delete one.title;
      layout.yaxis.nticks = 4;
      layout.font.size = 10.5;
    }
    return layout;
  };

  // Redraws when light and dark change, and when the plot gets another size (a hidden tab has none).
  studio.follow = (plot, redraw) => {
    studio.onTheme(() => redraw());
    const size = () => `${plot.clientWidth} ${plot.clientHeight}`;
    let before = size();
    let due = 0;
    new ResizeObserver(() => {
      if (!plot.clientWidth || !plot.clientHeight || size() === before || due) return;
      due = requestAnimationFrame(() => {
        due = 0;
        before = size();
        if (plot._fullLayout && plot.clientWidth) studio.plotly.Plots.resize(plot);
      });
    }).observe(plot);
  };

  studio.chart = (context) => {
    let value = null;
    let wired = false;
    let brush = null;
    let waiting = null;
    const later = (event) => {
      const call = waiting;
      if (!call || context.element.closest('[data-bench-away]')) return;
      waiting = null;
      event.currentTarget.removeEventListener('studio-bench', later);
      call();
    };
    const paint = (plot) =>
      studio.plotly.react(
        plot,
        value.data.map(studio.coloured),
        studio.layout(value.layout, Boolean(plot.closest('.dense'))),
        CONFIG,
      );
    const draw = async (given, root) => {
      value = given;
      if (value?.data && !value.empty && !studio.plotly) {
        try {
          await library();
        } catch (error) {
          if (value === given) await draw({...given, empty: error.message}, root);
          return;
        }
        if (value !== given) return; // what came meanwhile draws itself
      }
      const plot = root.querySelector('.st-plot');
      let empty = root.querySelector('.st-empty');
      studio.head(root, value || {});
      if (!value || value.empty || !value.data) {
        if (!empty) {
          empty = studio.h('div', 'st-empty');
          plot.after(empty);
        }
        empty.textContent = value?.empty || '';
        empty.style.minHeight = plot.style.height;
        plot.hidden = true;
        root.querySelector('.st-chart-menu')?.toggleAttribute('hidden', true);
        brush?.show(null);
        return;
      }
      empty?.remove();
      plot.hidden = false;
      root.querySelector('.st-chart-menu')?.toggleAttribute('hidden', false);
      if (root.closest('[data-bench-away]')) {
        // another view of its panel is looked at: drawn once it is
        if (!waiting) root.closest('.bench').addEventListener('studio-bench', later);
        waiting = () => draw(value, root);
        return;
      }
      await paint(plot);
      if (value.brushable) brush ||= studio.brush(plot, context.trigger, () => value);
      brush?.show(value.brush);
      if (wired) return;
      wired = true;
      plot.after(studio.chartMenu(plot, () => value));
      plot.on('plotly_click', (event) => {
        if (value.brushable) return;
        const point = event.points[0];
        context.trigger('pick', {
          trace: point.curveNumber,
          index: point.pointNumber,
          x: point.x,
          y: point.y,
          custom: point.customdata ?? null,
        });
      });
      studio.follow(plot, () => value?.data && paint(plot));
    };
    studio.mount(context, draw);
  };
})();
