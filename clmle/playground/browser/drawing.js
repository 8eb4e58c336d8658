// Drawing of one method on a canvas: predicted regions, points, clusters, and one selected point
// with its neighbors and the margin a1.

const RADIUS = {region: 1.22, minority: 1.06, cluster: 0.58};
const DEPTHS = (() => {  // the same radius for a point in every frame: it moves along the circle only
  const random = new Generator(99);
  return Array.from({length: MAJORITY}, () => 0.7 + 0.28 * random.uniform());
})();
const view = {turn: 0.6, tilt: 0.35};  // of the sphere

function inks() {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(["majority", "minority", "impostor", "genuine", "ink", "quiet", "paper"]
    .map(name => [name, style.getPropertyValue("--" + name).trim()]));
}

// A canvas of sharp pixels; its context measures in CSS pixels.
function surface(canvas) {
  const ratio = window.devicePixelRatio || 1, {clientWidth: w, clientHeight: h} = canvas;
  if (canvas.width !== Math.round(w * ratio) || canvas.height !== Math.round(h * ratio)) {
    canvas.width = Math.round(w * ratio);
    canvas.height = Math.round(h * ratio);
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, w, h);
  return {context, w, h};
}

// Where a unit vector is drawn: pixels, and whether it is on the visible side.
function projector(w, h, dim) {
  const unit = Math.min(w, h) / (dim === 2 ? 2.62 : 2.2);
  if (dim === 2) return ([x, y], r = 1) => [w / 2 + unit * r * x, h / 2 - unit * r * y, true];
  const [ct, st] = [Math.cos(view.turn), Math.sin(view.turn)];
  const [cu, su] = [Math.cos(view.tilt), Math.sin(view.tilt)];
  return ([x, y, z], r = 1) => {
    const across = ct * x + st * y, away = -st * x + ct * y;
    return [w / 2 + unit * r * across, h / 2 - unit * r * (cu * z - su * away), cu * away + su * z < 0.05];
  };
}

function placeOf(project, dim, labels, f, i) {
  const r = dim === 3 ? 1.02 : labels[i] ? RADIUS.minority : DEPTHS[i % DEPTHS.length];
  return project(f, r);
}

function drawPanel(canvas, run, frame, selected) {
  const {context: c, w, h} = surface(canvas), {dim, train: {labels}} = run.points, ink = inks();
  const project = projector(w, h, dim), color = [ink.majority, ink.minority];
  (dim === 2 ? drawRing : drawSurface)(c, frame.regions, project, color, w);
  frame.unit.forEach((f, i) => {
    if (labels[i]) return;
    const [x, y, visible] = placeOf(project, dim, labels, f, i);
    if (visible) drawDot(c, x, y, ink.majority, 0.65);
  });
  frame.unit.forEach((f, i) => {
    if (!labels[i]) return;
    const [x, y, visible] = placeOf(project, dim, labels, f, i);
    if (visible) drawDiamond(c, x, y, 4.5, ink.minority, true);
  });
  (frame.centroids || []).forEach((mu, k) => {
    const minority = frame.classes[k];
    const [x, y, visible] = project(mu, dim === 2 ? RADIUS.cluster - (minority ? 0 : 0.11) : 1.05);
    c.strokeStyle = color[minority];
    c.lineWidth = 2;
    if (!visible) return;
    if (minority) drawDiamond(c, x, y, 6, ink.minority, false);
    else { c.beginPath(); c.arc(x, y, 5, 0, 7); c.stroke(); }
  });
  if (selected !== null && selected < labels.length) drawSelection(c, run, frame, selected, project, ink);
}

function drawDot(c, x, y, color, alpha) {
  c.globalAlpha = alpha;
  c.fillStyle = color;
  c.beginPath();
  c.arc(x, y, 2.2, 0, 7);
  c.fill();
  c.globalAlpha = 1;
}

function drawDiamond(c, x, y, size, color, filled) {
  c.beginPath();
  c.moveTo(x, y - size);
  c.lineTo(x + size, y);
  c.lineTo(x, y + size);
  c.lineTo(x - size, y);
  c.closePath();
  if (filled) {
    c.fillStyle = color;
    c.fill();
    c.lineWidth = 1;
    c.strokeStyle = "rgb(60,60,60)";
  }
  c.stroke();
}

// The class that is predicted at each angle.
function drawRing(c, regions, project, color) {
  const half = Math.PI / regions.length, [x0, y0] = project([0, 0]);
  const radius = project([1, 0], RADIUS.region)[0] - x0;
  regions.forEach((predicted, i) => {
    c.beginPath();
    c.arc(x0, y0, radius, -(2 * i + 1) * half, -(2 * i - 1) * half);
    c.strokeStyle = color[predicted];
    c.lineWidth = 9;
    c.globalAlpha = 0.8;
    c.stroke();
  });
  c.globalAlpha = 1;
}

function drawSurface(c, regions, project, color) {
  const n = GRID[3], grid = gridOf(3);
  c.globalAlpha = 0.35;
  for (let i = 0; i < n / 2; i++) {
    for (let j = 0; j < n; j++) {
      const corners = [[i, j], [i, j + 1], [i + 1, j + 1], [i + 1, j]].map(([a, b]) => a * (n + 1) + b);
      const places = corners.map(k => project(grid[k]));
      if (!places.every(([, , visible]) => visible)) continue;
      c.beginPath();
      places.forEach(([x, y], k) => (k ? c.lineTo(x, y) : c.moveTo(x, y)));
      c.fillStyle = color[regions[corners[0]]];
      c.fill();
    }
  }
  c.globalAlpha = 1;
}

function drawSelection(c, run, frame, row, project, ink) {
  const {dim, train: {labels}} = run.points;
  const [x, y] = placeOf(project, dim, labels, frame.unit[row], row);
  c.lineWidth = 2;
  for (const other of neighborsOf(frame.unit, row)) {
    const [ox, oy] = placeOf(project, dim, labels, frame.unit[other], other);
    c.strokeStyle = labels[other] === labels[row] ? ink.genuine : ink.impostor;
    c.beginPath();
    c.moveTo(x, y);
    c.lineTo(ox, oy);
    c.stroke();
  }
  c.strokeStyle = ink.ink;
  c.beginPath();
  c.arc(x, y, 9, 0, 7);
  c.stroke();
  if (!frame.centroids || !run.method.marginWeight || dim !== 2) return;
  const mu = frame.centroids[frame.assignment[row]], middle = -Math.atan2(mu[1], mu[0]);
  const [x0, y0] = project([0, 0]), reach = Math.acos(1 - A1);
  c.setLineDash([3, 4]);
  c.strokeStyle = ink.quiet;
  c.beginPath();
  c.arc(x0, y0, project([1, 0], RADIUS.cluster)[0] - x0, middle - reach, middle + reach);
  c.stroke();
  c.setLineDash([]);
}

// The training point nearest to a position on the canvas.
function pointAt(canvas, run, frame, x, y) {
  const {dim, train: {labels}} = run.points;
  const project = projector(canvas.clientWidth, canvas.clientHeight, dim);
  let best = null, least = 20 ** 2;
  frame.unit.forEach((f, i) => {
    const [px, py, visible] = placeOf(project, dim, labels, f, i);
    const away = (px - x) ** 2 + (py - y) ** 2;
    if (visible && away < least) { least = away; best = i; }
  });
  return best;
}

// Balanced accuracy during training, one line for each run.
function drawCurves(canvas, runs, colors, shown) {
  const {context: c, w, h} = surface(canvas), ink = inks(), left = 44, bottom = 26, top = 8;
  const x = step => left + (w - left - 10) * step / STEPS, y = v => top + (h - top - bottom) * (1 - v);
  c.font = "13px system-ui, sans-serif";
  c.fillStyle = ink.ink;
  c.strokeStyle = ink.quiet;
  c.lineWidth = 0.5;
  for (const v of [0, 0.5, 1]) {
    c.fillText(Math.round(100 * v) + " %", 2, y(v) + 4);
    c.beginPath();
    c.moveTo(left, y(v));
    c.lineTo(w - 10, y(v));
    c.stroke();
  }
  c.textAlign = "center";
  for (const step of [0, 50, 100, 150, 200]) c.fillText(step, Math.min(x(step), w - 14), h - 8);
  c.fillText("step", x(175), h - 8);
  c.textAlign = "left";
  c.fillText("balanced accuracy", left + 6, h - bottom - 6);
  runs.forEach((run, i) => {
    c.strokeStyle = colors[i];
    c.lineWidth = 2.5;
    c.setLineDash([[], [7, 4], [2, 3], [9, 3, 2, 3]][i % 4]);
    c.beginPath();
    run.frames.forEach((f, k) => (k ? c.lineTo(x(f.step), y(f.balanced)) : c.moveTo(x(f.step), y(f.balanced))));
    c.stroke();
  });
  c.setLineDash([]);
  c.strokeStyle = ink.quiet;
  c.lineWidth = 2;
  c.beginPath();
  c.moveTo(x(shown), top);
  c.lineTo(x(shown), h - bottom);
  c.stroke();
}
