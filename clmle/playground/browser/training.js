// Training runs, recorded frame by frame, and the classifiers that read the features.

const STEPS = 200, EVERY = 5, ROUNDS = 5, LEARNING_RATE = 0.1, NEIGHBORS = 5;
const LINEAR_PENALTY = 1e-3;
const GRID = {2: 180, 3: 24};
const CLASSIFIERS = {
  "own": "Each method's own",
  "nearest-cluster": "Nearest cluster",
  "nearest-class-mean": "Nearest class mean",
  "linear": "Linear",
};

class Run {
  // `given` may hold points and the state of the network from elsewhere.
  constructor(problem, name, clusters, classifier = "own", given = {}) {
    Object.assign(this, {problem, name, clusters, classifier, seed: problem.seed, frames: []});
    this.method = METHODS[name];
    this.points = given.points || drawPoints(problem);
    const {train, dim} = this.points;
    this.network = new Network(train.inputs[0].length, dim, new Generator(this.seed, 20));
    (given.parameters || []).forEach(({value, velocity}, i) => {
      const layer = this.network.layers[i >> 1];
      (i % 2 ? layer.bias : layer.weight).set(value);
      layer.velocity[i % 2].set(velocity);
    });
    this.index = null;
    if (this.method.sampling === "clusters") {
      this.index = new ClusterIndex(train.labels, this.method.clusters || clusters);
    }
  }

  startRound(round, index) {
    if (index) Object.assign(this.index, index);
    else if (this.index) {
      const {features, n} = this.network.forward(this.points.train.inputs);
      this.index.refresh(rowsOf(features, n, 1 / FEATURE_NORM), new Generator(this.seed, 30, round));
    }
  }

  step(number, given) {
    const {train} = this.points;
    const rows = given || drawBatch(this.method, train.labels, this.index, this.seed, number);
    const labels = rows.map(row => train.labels[row]);
    const out = this.network.forward(rows.map(row => train.inputs[row]));
    const loss = lossOf(this.method, this.index, labels, out, train.labels);
    this.network.backward(out, loss.gradFeatures, loss.gradLogits);
    this.network.step(LEARNING_RATE * 0.5 * (1 + Math.cos(Math.PI * number / STEPS)));
    if (this.index) {
      if (this.method.marginWeight) this.index.move(rows, loss.units, CENTROID_MOMENTUM);
      rows.forEach((row, i) => { this.index.losses[row] = loss.losses[i]; });
    }
    return loss;
  }

  // Trains; pauses after every few steps, and after the frames that `recorded` asks for.
  * train(recorded = true) {
    for (let s = 0; s < STEPS; s++) {
      if (s % (STEPS / ROUNDS) === 0) this.startRound(s / (STEPS / ROUNDS));
      if (s % EVERY === 0) {
        if (recorded) this.frames.push(this.frame(s));
        yield s;
      }
      if (!this.method.untrained) this.step(s);
    }
    this.startRound(ROUNDS);
    this.frames.push(this.frame(STEPS));
    this.done = true;
  }

  frame(step) {
    const {train, test, dim} = this.points;
    const out = this.network.forward(train.inputs);
    const unit = rowsOf(out.features, out.n, 1 / FEATURE_NORM);
    const predict = this.predictor(unit);
    const tested = this.network.forward(test.inputs);
    const predicted = rowsOf(tested.features, tested.n, 1 / FEATURE_NORM)
      .map((f, i) => predict(f, [tested.logits[2 * i], tested.logits[2 * i + 1]]));
    const right = test.labels.map((label, i) => +(predicted[i] === label));
    const mean = keep => average(right.filter((_, i) => keep(i)));
    const recall = [0, 1].map(c => mean(i => test.labels[i] === c));
    const modes = Math.max(...test.modes) + 1;
    const worst = Math.min(...Array.from({length: modes},
      (_, m) => mean(i => test.labels[i] === 1 && test.modes[i] === m)));
    const head = this.network.layers[3];
    const regions = gridOf(dim).map(f => predict(f,
      head.forward(Float64Array.from(f, v => v * FEATURE_NORM), 1, false)));
    const minority = train.labels.flatMap((label, i) => (label ? [i] : []));
    const impostors = average(minority.map(i => average(
      neighborsOf(unit, i).map(j => +(train.labels[j] !== train.labels[i])))));
    return {step, unit, regions, recall, worst, impostors, balanced: (recall[0] + recall[1]) / 2,
      assignment: this.index && [...this.index.assignment],
      centroids: this.index && [...this.index.centroids],
      classes: this.index && this.index.classes};
  }

  // A function from a unit feature and its logits to a class.
  predictor(unit) {
    const labels = this.points.train.labels;
    const kind = this.classifier !== "own" ? this.classifier : this.index ? "nearest-cluster" : "head";
    if (kind === "head") return (_, logits) => +(logits[1] > logits[0]);
    if (kind === "linear") {
      const w = logisticRegression(unit, labels);
      return f => +(dot(f, w) + w[f.length] > 0);
    }
    let {centroids, classes} = this.index || {};
    if (kind === "nearest-class-mean") {
      centroids = unitMeans(unit, labels, 2);
      classes = [0, 1];
    } else if (this.classifier !== "own") {  // the same for every method, whatever its clusters
      this.clustered ||= new ClusterIndex(labels, this.clusters);
      this.clustered.refresh(unit, new Generator(this.seed, 40));
      ({centroids, classes} = this.clustered);
    }
    return f => {
      const best = [-2, -2];
      centroids.forEach((mu, k) => { best[classes[k]] = Math.max(best[classes[k]], dot(f, mu)); });
      return +(best[1] > best[0]);
    };
  }
}

function rowsOf(values, n, factor) {
  const dim = values.length / n;
  return Array.from({length: n}, (_, i) => Array.from({length: dim}, (_, k) => factor * values[i * dim + k]));
}

const average = values => values.reduce((a, b) => a + b, 0) / Math.max(values.length, 1);

// The nearest other rows by cosine, nearest first.
function neighborsOf(unit, row, k = NEIGHBORS) {
  const found = [];
  for (let i = 0; i < unit.length; i++) {
    if (i === row) continue;
    const similarity = dot(unit[i], unit[row]);
    if (found.length === k && similarity <= found[k - 1][0]) continue;
    let at = found.length;
    while (at > 0 && found[at - 1][0] < similarity) at--;
    found.splice(at, 0, [similarity, i]);
    found.length = Math.min(found.length, k);
  }
  return found.map(([, i]) => i);
}

// Weights and bias of a class-balanced logistic regression with a small L2 penalty, by Newton.
function logisticRegression(unit, labels) {
  const size = unit[0].length + 1, counts = [0, 1].map(c => labels.filter(l => l === c).length);
  let w = new Array(size).fill(0);
  for (let round = 0; round < 25; round++) {
    const gradient = w.map((v, k) => (k < size - 1 ? LINEAR_PENALTY * v : 0));
    const hessian = w.map((_, k) => w.map((_, l) => (k === l && k < size - 1 ? LINEAR_PENALTY : 0)));
    unit.forEach((f, i) => {
      const x = [...f, 1], p = 1 / (1 + Math.exp(-dot(x, w))), weight = 0.5 / counts[labels[i]];
      for (let k = 0; k < size; k++) {
        gradient[k] += weight * (p - labels[i]) * x[k];
        for (let l = 0; l < size; l++) hessian[k][l] += weight * p * (1 - p) * x[k] * x[l];
      }
    });
    const move = solved(hessian, gradient);
    w = w.map((v, k) => v - move[k]);
    if (Math.max(...move.map(Math.abs)) < 1e-10) break;
  }
  return w;
}

function solved(matrix, right) {  // Gauss and Jordan with pivots
  const rows = matrix.map((row, i) => [...row, right[i]]), n = rows.length;
  for (let c = 0; c < n; c++) {
    let pivot = c;
    for (let r = c; r < n; r++) if (Math.abs(rows[r][c]) > Math.abs(rows[pivot][c])) pivot = r;
    [rows[c], rows[pivot]] = [rows[pivot], rows[c]];
    for (let r = 0; r < n; r++) {
      if (r === c) continue;
      const factor = rows[r][c] / rows[c][c];
      rows[r] = rows[r].map((v, k) => v - factor * rows[c][k]);
    }
  }
  return rows.map((row, i) => row[n] / row[i]);
}

// Unit points at which the predicted class is drawn: a circle, or meridians of a sphere.
function gridOf(dim) {
  const n = GRID[dim];
  if (dim === 2) return Array.from({length: n}, (_, i) => atAngle(360 * i / n));
  return Array.from({length: (n / 2 + 1) * (n + 1)}, (_, i) => {
    const polar = Math.PI * Math.floor(i / (n + 1)) / (n / 2), turn = 2 * Math.PI * (i % (n + 1)) / n;
    return [Math.sin(polar) * Math.cos(turn), Math.sin(polar) * Math.sin(turn), Math.cos(polar)];
  });
}
