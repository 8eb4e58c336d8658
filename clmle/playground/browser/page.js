// The page: controls, training in small slices between drawings, panels, metrics of several draws.

const $ = id => document.getElementById(id);
const make = (tag, values = {}) => Object.assign(document.createElement(tag), values);
const percent = v => `${Math.round(100 * v)}\u00a0%`;
const FIRST = PAGE.first;  // the short form: one slider, three panels
const DRAWS = 5, SLICE = 14;  // milliseconds of training between two drawings
// Before the app around it is loaded, the page leaves most of the time to that.
const PATIENT = {slice: 4, pause: 50}, early = () => Boolean(window.frameElement?.closest("#first-view"));
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
const CLASSES = ["majority", "minority"];

let settings, runs = [], panels = [], others = [], training = null, shown = 0, playing = false, played = 0;

function start() {
  clearTimeout(writing);
  const {own} = settings, names = settings.method;
  const problem = {...settings, own: own && enough(own) ? own : null};
  const run = (name, seed) => new Run({...problem, seed}, name, settings.clusters, settings.classifier);
  runs = names.map(name => run(name, settings.seed));
  others = names.map(() => []);
  if (settings.point !== null && settings.point >= runs[0]?.points.train.labels.length) settings.point = null;
  shown = 0;
  playing = !still;
  training = trainAll(names, run);
  layOut();
  draw();
}

// All methods side by side, one frame after the other; then further draws, of which only the last
// frame is recorded.
function* trainAll(names, run) {
  const going = runs.map(one => one.train());
  while (going.map(one => one.next().done).some(done => !done)) yield;
  finished();
  if (FIRST) return;
  for (let d = 1; d < DRAWS; d++) {
    for (const [i, name] of names.entries()) {
      const other = run(name, settings.seed + d);
      for (const _ of other.train(false)) yield;
      others[i].push(other.frames[0]);
      table();
    }
  }
}

const ready = () => Math.min(...runs.map(run => run.frames.length)) - 1;

function loop(now) {
  const waiting = early(), end = performance.now() + (waiting ? PATIENT.slice : SLICE);
  while (training && performance.now() < end) if (training.next().done) training = null;
  if (playing && runs.length) {
    const last = runs[0].done ? STEPS / EVERY : ready();
    if (shown < last && now - played > 60) { show(shown + 1); played = now; }
    if (shown >= STEPS / EVERY) { playing = false; describe(); }
  } else if (still && !runs[0]?.done) show(Math.max(0, ready()));
  if (waiting) setTimeout(() => requestAnimationFrame(loop), PATIENT.pause);
  else requestAnimationFrame(loop);
}

function show(f) {
  shown = f;
  draw();
}

function draw() {
  if (!runs.length) return;
  runs.forEach((run, i) => {
    const frame = run.frames[Math.min(shown, run.frames.length - 1)];
    if (!frame) return;
    drawPanel(panels[i].canvas, run, frame, settings.point);
    panels[i].text.textContent = 
      `minority recall ${percent(frame.recall[1])}\nbalanced accuracy ${percent(frame.balanced)}`;
  });
  drawCurves($("curves"), runs, colors(), shown * EVERY);
  $("scrub").value = shown;
  $("where").textContent = `step ${shown * EVERY} of ${STEPS}`;
  $("play").textContent = playing ? "Pause" : "Play";
}

const colors = () => runs.map(run => PAGE.colors[run.name]);

function layOut() {
  panels = runs.map((run, i) => {
    const box = make("figure"), canvas = make("canvas", {tabIndex: 0, role: "img"});
    const head = make("figcaption"), text = make("span", {textContent: " "});
    head.append(make("strong", {textContent: run.method.title}), text);
    canvas.ariaLabel = `${run.method.title}: points in the feature space, predicted regions and clusters`;
    canvas.onclick = e => {
      const at = canvas.getBoundingClientRect(), frame = run.frames[Math.min(shown, run.frames.length - 1)];
      const point = pointAt(canvas, run, frame, e.clientX - at.left, e.clientY - at.top);
      if (point !== null) select(point);
    };
    canvas.onpointermove = e => { if (e.buttons && run.points.dim === 3) turn(e.movementX, e.movementY); };
    canvas.onkeydown = e => {
      const n = run.points.train.labels.length, by = {ArrowRight: 1, ArrowLeft: -1}[e.key];
      if (!by) return;
      e.preventDefault();
      select(settings.point === null ? n - 1 : (settings.point + by + n) % n);
    };
    box.append(head, canvas);
    return {box, canvas, text};
  });
  $("panels").replaceChildren(...panels.map(p => p.box));
  $("legend").replaceChildren(...runs.map((run, i) => {
    const item = make("span", {textContent: run.method.title});
    item.style.setProperty("--line", colors()[i]);
    item.dataset.dash = i % 4;
    return item;
  }));
  $("scrub").max = STEPS / EVERY;
  table();
}

function turn(across, down) {
  view.turn += across / 120;
  view.tilt = Math.max(-1.5, Math.min(1.5, view.tilt + down / 120));
  draw();
}

function select(point) {
  settings.point = point;
  describe();
  draw();
  remember();
}

function describe() {
  draw();
  const {point} = settings;
  if (point === null || !runs.length || !runs[0].frames[shown]) {
    $("status").textContent = "Select a point to see its neighbors and the margin.";
    return;
  }
  const labels = runs[0].points.train.labels;
  const counts = runs.map(run => neighborsOf(run.frames[shown].unit, point)
    .filter(j => labels[j] !== labels[point]).length);
  $("status").textContent = `Point ${point} (${CLASSES[labels[point]]}): impostors among its ${NEIGHBORS} nearest `
    + `neighbors: ${runs.map((run, i) => `${run.method.title} ${counts[i]}`).join(", ")}.`;
}

function finished() {
  if (settings.frame !== null) { playing = false; show(Math.min(settings.frame, STEPS / EVERY)); }
  if (still) show(STEPS / EVERY);
  table();
  describe();
  const frames = Object.fromEntries(runs.map(run => [run.name, run.frames.at(-1)]));
  lessons.tick({settings, frames: settings.own ? {} : frames});
  document.body.dataset.ready = "yes";
}

function table() {
  if (FIRST) return;
  const modes = settings.own || settings.modes > 1;  // with one mode it is the minority
  const heads = ["method", "plain accuracy", "minority recall", ...(modes ? ["worst mode"] : []), "impostors", "balanced accuracy",
    `balanced accuracy, ${DRAWS} draws: mean (range)`];
  const body = runs.map((run, i) => {
    const last = run.done && run.frames.at(-1), row = make("tr");
    row.append(make("th", {scope: "row", textContent: run.method.title}));
    const values = last ? [plainAccuracy(run, last), last.recall[1], ...(modes ? [last.worst] : []), last.impostors, last.balanced] : [];
    while (values.length < heads.length - 2) values.push(NaN);
    values.forEach(v => row.append(make("td", {textContent: Number.isNaN(v) ? "" : percent(v)})));
    row.append(draws(last ? [last, ...others[i]].map(f => f.balanced) : [], colors()[i]));
    return row;
  });
  const head = make("tr");
  heads.forEach(text => head.append(make("th", {scope: "col", textContent: text})));
  $("metrics").tHead.replaceChildren(head);
  $("metrics").tBodies[0].replaceChildren(...body);
  const missing = runs.length * DRAWS - others.flat().length - runs.filter(run => run.done).length;
  $("drawn").textContent = missing ? `${missing} of ${runs.length * DRAWS} training runs are left.` : "";
}

// Accuracy where test points are as imbalanced as the training points.
function plainAccuracy(run, frame) {
  const [majority, minority] = run.points.sizes;
  return (majority * frame.recall[0] + minority * frame.recall[1]) / (majority + minority);
}

// Mean and range in words, and every draw as a mark between 0 and 100 %.
function draws(values, color) {
  const cell = make("td", {className: "draws"});
  if (!values.length) return cell;
  const range = values.length < DRAWS ? `${values.length} of ${DRAWS} draws`
    : `${Math.round(100 * Math.min(...values))} to ${percent(Math.max(...values))}`;
  cell.append(make("span", {textContent: `${percent(average(values))} (${range})`}));
  const strip = make("span", {className: "strip", ariaHidden: "true"});
  for (const v of values) {
    const mark = make("i");
    mark.style.left = `${100 * v}%`;
    mark.style.background = color;
    strip.append(mark);
  }
  cell.append(strip);
  return cell;
}

// --- controls ---------------------------------------------------------------------------------

let writing = null;

function remember() {  // browsers limit how often an address may change
  if (FIRST) return;
  clearTimeout(writing);
  writing = setTimeout(() => {
    settings.frame = runs[0]?.done && !playing && shown < STEPS / EVERY ? shown : null;
    try { history.replaceState(null, "", addressOf(settings)); } catch { location.hash = addressOf(settings); }
  }, 200);
}

function change(values) {
  Object.assign(settings, {frame: null, point: null}, values);
  document.body.dataset.ready = "";
  fill();
  start();
  remember();
}

function fill() {
  for (const [name, {values, text}] of Object.entries(CONTROLS)) {
    const input = $(`set-${name}`);
    if (!input) continue;
    input.value = values.indexOf(settings[name]);
    input.ariaValueText = text(settings[name]);
    const own = Boolean(settings.own) && ["ratio", "modes", "noise"].includes(name);
    input.disabled = own || (name === "clusters" && !settings.method.some(usesClusters));
    $(`out-${name}`).textContent = own ? "your points" : input.disabled ? "not used" : text(settings[name]);
  }
  if (FIRST) return;
  $("dim").value = settings.dim;
  $("dim").disabled = Boolean(settings.own);
  $("classifier").value = settings.classifier;
  document.querySelectorAll("#methods input").forEach(input => {
    input.checked = settings.method.includes(input.value);
  });
  lessons.show(settings.lesson);
  editor.set(settings.own);
}

let lessons = {tick() {}}, editor = null;

function build() {
  for (const [name, {label, values}] of Object.entries(CONTROLS)) {
    if (FIRST && name !== "ratio") continue;
    const box = make("label", {textContent: `${label}: `}), out = make("output", {id: `out-${name}`});
    const input = make("input", {type: "range", id: `set-${name}`, ariaLabel: label, min: 0, max: values.length - 1, step: 1});
    input.oninput = () => change({[name]: values[input.value]});
    box.append(out, input);
    $("sliders").append(box);
  }
  if (FIRST) return;
  const choice = (id, options, read) => {
    for (const [value, text] of options) $(id).append(make("option", {value, textContent: text}));
    $(id).onchange = () => change({[id]: read($(id).value)});
  };
  choice("dim", [[2, "Circle"], [3, "Sphere"]], Number);
  choice("classifier", Object.entries(CLASSIFIERS), String);
  for (const [name, {title}] of Object.entries(METHODS)) {
    const label = make("label", {className: "inline"}), input = make("input", {type: "checkbox", value: name});
    input.onchange = () => {
      const method = Object.keys(METHODS).filter(n => document.querySelector(`#methods input[value="${n}"]`).checked);
      if (method.length) change({method}); else input.checked = true;
    };
    label.append(input, " ", title);
    $("methods").append(label);
  }
  lessons = new LessonPanel($("lessons"), $("step"), {
    choose: lesson => { settings.lesson = lesson; lessons.show(lesson); remember(); },
    begin: ({name, problem, clusters, methods}) => change({...DEFAULTS, ...problem, clusters, method: methods, lesson: name}),
  });
  editor = new PointEditor($("own"), own => change({own: own && own.map(points => [...points])}));
  $("copy").onclick = async () => {
    const link = location.href.split("#")[0] + addressOf(settings);
    try { await navigator.clipboard.writeText(link); $("copied").textContent = "Copied"; }
    catch { $("copied").textContent = link; }
  };
}

function open() {
  settings = FIRST ? {...DEFAULTS, ...FIRST} : settingsFrom(location.hash || location.search);
  build();
  fill();
  start();
  $("play").onclick = () => {
    if (!playing && shown >= STEPS / EVERY) shown = 0;
    playing = !playing;
    describe();
    remember();
  };
  const stepTo = f => { playing = false; show(Math.max(0, Math.min(f, Math.max(0, ready())))); describe(); remember(); };
  $("scrub").oninput = e => stepTo(Number(e.target.value));
  $("back").onclick = () => stepTo(shown - 1);
  $("on").onclick = () => stepTo(shown + 1);
  new ResizeObserver(() => { draw(); editor?.draw(); fit(); }).observe(document.body);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { draw(); editor?.draw(); });
  window.addEventListener("hashchange", () => {
    if (location.hash !== addressOf(settings)) { settings = settingsFrom(location.hash); fill(); start(); }
  });
  requestAnimationFrame(loop);
}

// Within another page the frame is as high as its contents.
function fit() {
  if (window.frameElement) window.frameElement.style.height = document.documentElement.offsetHeight + "px";
}

open();
