// A report's pictures: each figure's data stand beside it, and Plotly draws them. The only script of the file besides it.
(() => {
  const config = {
    displaylogo: false,
    showSendToCloud: false,
    plotlyServerURL: '',
    modeBarButtonsToRemove: ['select2d', 'lasso2d', 'autoScale2d'],
    toImageButtonOptions: {format: 'svg'},
  };
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const axis = (given) => ({
    gridcolor: colour('--chart-grid'),
    zerolinecolor: colour('--chart-grid'),
    linecolor: colour('--line-2'),
    automargin: true,
    separatethousands: true,
    exponentformat: 'none',
    ...given,
  });
  for (const figure of document.querySelectorAll('figure')) {
    const {data, layout} = JSON.parse(figure.querySelector('script').textContent);
    const plot = figure.querySelector('.plot');
    Plotly.newPlot(
      plot,
      data,
      {
        showlegend: false,
        hovermode: 'closest',
        bargap: 0.04,
        margin: {l: 54, r: 14, t: 14, b: 44},
        ...layout,
        xaxis: axis(layout.xaxis),
        yaxis: axis(layout.yaxis),
        width: plot.clientWidth,
        height: plot.clientHeight,
        paper_bgcolor: '#ffffff',
        plot_bgcolor: '#ffffff',
        font: {family: 'system-ui, sans-serif', size: 12, color: colour('--text-2')},
      },
      config,
    );
  }
  document.body.dataset.drawn = 'yes';
})();
