// The settings of the page and its address, which holds all of them, so that a link restores them.

const CONTROLS = {
  ratio: {label: "Ratio", values: [1, 2, 5, 10, 20, 40, 80], text: v => `${v} to 1`},
  modes: {label: "Modes of each class", values: [1, 2, 3, 4, 5, 6, 7, 8], text: v => `${v}`},
  noise: {label: "Noise", values: [0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.8],
    text: v => `${Math.round(100 * v)} %`},
  clusters: {label: "Clusters of each class", values: [1, 2, 4, 6, 8, 12], text: v => `${v}`},
  seed: {label: "Seed", values: Array.from({length: 100}, (_, i) => i), text: v => `${v}`},
};
const DEFAULTS = {ratio: 5, modes: 3, noise: 0.3, clusters: 12, seed: 0, dim: 2, classifier: "own",
  method: ["softmax", "clmle", "clmle, untrained", "clmle, without Eq. 9", "clmle, one cluster"],
  lesson: null, own: null, frame: null, point: null};
const MAX_OWN = 240;  // points of a class that are drawn by hand

function settingsFrom(address) {
  const query = new URLSearchParams(address.replace(/^[#?]/, "")), found = {...DEFAULTS};
  for (const [name, {values}] of Object.entries(CONTROLS)) {
    const value = Number(query.get(name));
    if (query.has(name) && values.includes(value)) found[name] = value;
  }
  if (["2", "3"].includes(query.get("dim"))) found.dim = Number(query.get("dim"));
  if (query.get("classifier") in CLASSIFIERS) found.classifier = query.get("classifier");
  const methods = query.getAll("method").filter(name => name in METHODS);
  if (methods.length) found.method = [...new Set(methods)];
  if (LESSONS.some(lesson => lesson.name === query.get("lesson"))) found.lesson = query.get("lesson");
  for (const name of ["frame", "point"]) {
    if (/^\d{1,4}$/.test(query.get(name) || "")) found[name] = Number(query.get(name));
  }
  const own = (query.get("own") || "").split("_").map(text => text.split(".")
    .filter(s => /^\d{1,3}$/.test(s)).map(Number).filter(v => v < 360).slice(0, MAX_OWN));
  if (own.length === 2 && own.some(points => points.length)) found.own = own;
  return found;
}

function addressOf(settings) {
  const query = new URLSearchParams();
  for (const name of [...Object.keys(CONTROLS), "dim", "classifier"]) query.set(name, settings[name]);
  settings.method.forEach(name => query.append("method", name));
  if (settings.own) query.set("own", settings.own.map(points => points.join(".")).join("_"));
  for (const name of ["lesson", "frame", "point"]) {
    if (settings[name] !== null) query.set(name, settings[name]);
  }
  return "#" + query;
}
