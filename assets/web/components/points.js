// Points of a map on a canvas, by WebGL, or by the canvas itself where there is none.
// A colour of 4 bytes per point is all that a new value sends to the graphics card; places go there once.
(() => {
  const LAYERS = 4;
  const VERTEX = `
    attribute vec2 place; attribute vec4 colour;
    uniform vec4 view; uniform mediump float size; // as in the other shader
    varying vec3 shade;
    void main() {
      gl_Position = vec4(place * view.xy + view.zw, 0.0, 1.0);
      gl_PointSize = size + 1.0;
      shade = colour.rgb;
    }`;
  const FRAGMENT = `
    precision mediump float;
    uniform float size, opacity, rim; uniform vec3 rimColour;
    varying vec3 shade;
    void main() {
      float away = length(gl_PointCoord - 0.5) * (size + 1.0);
      float cover = clamp(size / 2.0 - away + 0.5, 0.0, 1.0) * opacity;
      float inner = rim > 0.0 ? clamp(size / 2.0 - rim - away + 0.5, 0.0, 1.0) : 1.0;
      gl_FragColor = vec4(mix(rimColour, shade, inner), 1.0) * cover;
    }`;

  // A CSS colour as [red, green, blue], 0 to 255.
  const rgb = (() => {
    const pen = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
    return (colour) => {
      pen.fillStyle = '#000';
      pen.fillStyle = colour;
      pen.fillRect(0, 0, 1, 1);
      return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
  })();
  studio.rgb = rgb;

  const byWebgl = (canvas, gl) => {
    let program, places, colours, order, at;
    let bounds = [0]; // layer k is drawn from the points bounds[k] to bounds[k + 1] of the order
    const shader = (kind, source) => {
      const made = gl.createShader(kind);
      gl.shaderSource(made, source);
      gl.compileShader(made);
      gl.attachShader(program, made);
    };
    const start = () => {
      gl.getExtension('OES_element_index_uint'); // rows beyond 65,535
      program = gl.createProgram();
      shader(gl.VERTEX_SHADER, VERTEX);
      shader(gl.FRAGMENT_SHADER, FRAGMENT);
      gl.linkProgram(program);
      if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost())
        throw new Error(`the map's shaders: ${gl.getProgramInfoLog(program)}`);
      gl.useProgram(program);
      [places, colours, order] = [gl.createBuffer(), gl.createBuffer(), gl.createBuffer()];
      at = Object.fromEntries(
        ['view', 'size', 'opacity', 'rim', 'rimColour'].map((name) => [name, gl.getUniformLocation(program, name)]),
      );
      gl.enable(gl.BLEND);
      gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    };
    const attribute = (name, buffer, parts, type, bytes) => {
      const place = gl.getAttribLocation(program, name);
      gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
      if (bytes) gl.bufferData(gl.ARRAY_BUFFER, bytes, gl.DYNAMIC_DRAW);
      gl.enableVertexAttribArray(place);
      gl.vertexAttribPointer(place, parts, type, type === gl.UNSIGNED_BYTE, 0, 0);
    };
    start();
    return {
      start,
      places: (x, y) => {
        const xy = new Float32Array(2 * x.length);
        for (let i = 0; i < x.length; i++) {
          xy[2 * i] = x[i];
          xy[2 * i + 1] = y[i];
        }
        attribute('place', places, 2, gl.FLOAT, xy);
      },
      colours: (bytes, layers) => {
        attribute('colour', colours, 4, gl.UNSIGNED_BYTE, bytes);
        const next = new Uint32Array(LAYERS + 1);
        for (const layer of layers) if (layer < LAYERS) next[layer + 1]++;
        for (let k = 0; k < LAYERS; k++) next[k + 1] += next[k];
        bounds = [...next];
        const rows = new Uint32Array(bounds[LAYERS]);
        for (let i = 0; i < layers.length; i++) if (layers[i] < LAYERS) rows[next[layers[i]]++] = i;
        gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, order);
        gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, rows, gl.DYNAMIC_DRAW);
      },
      draw: (view, layers, surface, ratio) => {
        gl.viewport(0, 0, canvas.width, canvas.height);
        gl.clearColor(0, 0, 0, 0);
        gl.clear(gl.COLOR_BUFFER_BIT);
        const [sx, sy] = [2 / (view.x1 - view.x0), 2 / (view.y1 - view.y0)];
        gl.uniform4f(at.view, sx, sy, -1 - view.x0 * sx, -1 - view.y0 * sy);
        gl.uniform3f(at.rimColour, ...surface.map((part) => part / 255));
        layers.forEach(({size, opacity, rim}, layer) => {
          if (bounds[layer + 1] === bounds[layer]) return;
          gl.uniform1f(at.size, size * ratio);
          gl.uniform1f(at.opacity, opacity);
          gl.uniform1f(at.rim, rim * ratio);
          gl.drawElements(gl.POINTS, bounds[layer + 1] - bounds[layer], gl.UNSIGNED_INT, 4 * bounds[layer]);
        });
      },
    };
  };

  const byCanvas = (canvas) => {
    const pen = canvas.getContext('2d');
    let x, y, bytes, layerOf;
    return {
      start: () => {},
      places: (gx, gy) => {
        [x, y] = [gx, gy];
      },
      colours: (given, layers) => {
        [bytes, layerOf] = [given, layers];
      },
      draw: (view, layers, surface, ratio) => {
        pen.clearRect(0, 0, canvas.width, canvas.height);
        const [sx, sy] = [canvas.width / (view.x1 - view.x0), canvas.height / (view.y1 - view.y0)];
        pen.strokeStyle = `rgb(${surface})`;
        layers.forEach(({size, opacity, rim}, layer) => {
          pen.globalAlpha = opacity;
          pen.lineWidth = rim * ratio;
          for (let i = 0; i < x.length; i++) {
            if (layerOf[i] !== layer) continue;
            pen.fillStyle = `rgb(${bytes[4 * i]} ${bytes[4 * i + 1]} ${bytes[4 * i + 2]})`;
            pen.beginPath();
            pen.arc((x[i] - view.x0) * sx, canvas.height - (y[i] - view.y0) * sy, (size * ratio) / 2, 0, 7);
            pen.fill();
            if (rim) pen.stroke();
          }
        });
        pen.globalAlpha = 1;
      },
    };
  };

  // Draws n points on a canvas: places(x, y), then colours(4 bytes a point, the layer of each), then
  // draw(view {x0, x1, y0, y1}, [{size, opacity, rim}] of each layer, surface [r, g, b], ratio). Later layers lie above,
  // and points of layer 4 or more are not drawn. `webgl` says how it is done.
  studio.points = (canvas, restored) => {
    const gl = canvas.getContext('webgl', {
      antialias: false,
      depth: false,
      premultipliedAlpha: true,
      preserveDrawingBuffer: true,
    });
    const drawn = gl ? byWebgl(canvas, gl) : byCanvas(canvas);
    canvas.addEventListener('webglcontextlost', (event) => event.preventDefault());
    canvas.addEventListener('webglcontextrestored', () => {
      drawn.start();
      restored();
    });
    return {...drawn, webgl: Boolean(gl)};
  };

  // Finds the point nearest to a place: points are sorted into the cells of a grid, once per map.
  const CELLS = 128;
  studio.grid = (x, y, box) => {
    const cell = (value, low, high) =>
      Math.max(0, Math.min(CELLS - 1, Math.floor(((value - low) / (high - low)) * CELLS)));
    const of = new Int32Array(x.length).fill(-1);
    const starts = new Int32Array(CELLS * CELLS + 1);
    for (let i = 0; i < x.length; i++) {
      if (Number.isNaN(x[i])) continue;
      of[i] = cell(y[i], box.y0, box.y1) * CELLS + cell(x[i], box.x0, box.x1);
      starts[of[i] + 1]++;
    }
    for (let c = 0; c < CELLS * CELLS; c++) starts[c + 1] += starts[c];
    const next = starts.slice();
    const rows = new Int32Array(starts[CELLS * CELLS]);
    for (let i = 0; i < x.length; i++) if (of[i] >= 0) rows[next[of[i]]++] = i;
    // calls visit(row) for all points of the cells that a rectangle touches
    return (x0, x1, y0, y1, visit) => {
      const [left, right] = [cell(x0, box.x0, box.x1), cell(x1, box.x0, box.x1)];
      for (let line = cell(y0, box.y0, box.y1); line <= cell(y1, box.y0, box.y1); line++) {
        for (let k = starts[line * CELLS + left]; k < starts[line * CELLS + right + 1]; k++) visit(rows[k]);
      }
    };
  };

  // The points inside a polygon [[x, y], ...]: {count, bits}, a bit for each point, the lowest of a byte first.
  studio.within = (polygon, x, y) => {
    const bits = new Uint8Array(Math.ceil(x.length / 8));
    const [xs, ys] = [polygon.map((p) => p[0]), polygon.map((p) => p[1])];
    const [x0, x1, y0, y1] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
    let count = 0;
    for (let i = 0; i < x.length; i++) {
      if (!(x[i] >= x0 && x[i] <= x1 && y[i] >= y0 && y[i] <= y1)) continue;
      let inside = false; // crossed an odd number of sides on the way out
      for (let a = 0, b = polygon.length - 1; a < polygon.length; b = a++) {
        if (ys[a] > y[i] !== ys[b] > y[i] && x[i] < ((xs[b] - xs[a]) * (y[i] - ys[a])) / (ys[b] - ys[a]) + xs[a])
          inside = !inside;
      }
      if (!inside) continue;
      bits[i >> 3] |= 1 << (i & 7);
      count++;
    }
    return {count, bits};
  };
})();
