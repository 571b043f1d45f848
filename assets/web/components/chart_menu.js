// A chart's small menu: its picture as PNG or SVG, and its figures as CSV, made on this page and sent nowhere.
(() => {
  const {h} = studio;
  const WIDTH = 1000; // px; a picture is for a slide or a page, whatever room the chart has on the screen

  const fileName = (title) =>
    (title || 'chart')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}]+/gu, '-')
      .replace(/^-|-$/g, '') || 'chart';

  const save = (name, url) => {
    const link = h('a');
    Object.assign(link, {download: name, href: url});
    link.click();
  };

  // A spreadsheet takes a text that begins like a formula for one.
  const cell = (value) => {
    if (value === null || value === undefined || Number.isNaN(value)) return '';
    const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };

  // A line for each point; bars of a histogram say where they begin and end.
  studio.chartRows = (value) => {
    const rows = [];
    for (const [at, trace] of (value.data || []).entries()) {
      const series = trace.name ?? `series ${at + 1}`;
      if (Array.isArray(trace.z?.[0])) {
        trace.z.forEach((line, i) =>
          line.forEach((z, j) => rows.push({series, x: trace.x?.[j] ?? j, y: trace.y?.[i] ?? i, value: z})),
        );
        continue;
      }
      const count = Math.max(trace.x?.length ?? 0, trace.y?.length ?? 0);
      for (let i = 0; i < count; i += 1) {
        const row = {series, x: trace.x?.[i], y: trace.y?.[i]};
        if (value.brushable && Array.isArray(trace.customdata?.[i])) [row.from, row.to] = trace.customdata[i].slice(-2);
        rows.push(row);
      }
    }
    return rows;
  };

  studio.csv = (rows) => {
    const names = [...new Set(rows.flatMap(Object.keys))];
    return [names, ...rows.map((row) => names.map((name) => row[name]))]
      .map((line) => `${line.map(cell).join(',')}\r\n`)
      .join('');
  };

  const picture = async (plot, value, format) => {
    const layout = {
      ...studio.layout(value.layout),
      paper_bgcolor: studio.colour('--surface'),
      showlegend: value.data.length > 1,
      title: {text: value.title || '', font: {size: 15}},
    };
    layout.margin = {...layout.margin, t: 44};
    const height = Math.round(WIDTH * Math.min(Math.max(plot.clientHeight / plot.clientWidth, 0.45), 0.8));
    const figure = {data: value.data.map(studio.coloured), layout};
    return studio.plotly.toImage(figure, {format, width: WIDTH, height, scale: 2});
  };

  // The menu of a plot; given() is the chart's present value.
  studio.chartMenu = (plot, given) => {
    const menu = h('details', 'st-chart-menu');
    const summary = h('summary', '', '⋯');
    summary.title = 'Download this chart';
    summary.setAttribute('aria-label', 'Download this chart');
    const offer = (label, title, act) =>
      studio.button('', label, title, async () => {
        menu.open = false;
        summary.focus({preventScroll: true});
        await act(given(), fileName(given().title));
      });
    menu.append(
      summary,
      h(
        'div',
        '',
        null,
        offer('PNG', 'The picture, for slides', async (value, name) =>
          save(`${name}.png`, await picture(plot, value, 'png')),
        ),
        offer('SVG', 'The picture, to be scaled and edited', async (value, name) =>
          save(`${name}.svg`, await picture(plot, value, 'svg')),
        ),
        offer('CSV', 'The figures, a line for each point', (value, name) => {
          const url = URL.createObjectURL(new Blob([studio.csv(studio.chartRows(value))], {type: 'text/csv'}));
          save(`${name}.csv`, url);
          setTimeout(() => URL.revokeObjectURL(url), 10_000);
        }),
      ),
    );
    // a press here begins no range of bars (brush.js)
    for (const kind of ['pointerdown', 'dblclick']) menu.addEventListener(kind, (event) => event.stopPropagation());
    menu.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || !menu.open) return;
      event.stopPropagation();
      menu.open = false;
      summary.focus();
    });
    menu.addEventListener('focusout', (event) => {
      if (!menu.contains(event.relatedTarget)) menu.open = false;
    });
    return menu;
  };
})();
