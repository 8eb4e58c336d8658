// Batches and losses of the methods; the options of CLMLE are those of clmle/playground/methods.py.

const BATCH = 64, A1 = 1, SCALE = 16, NEGATIVES = 6, CENTROID_MOMENTUM = 0.9, MAX_FRACTION = 0.4;

const METHODS = {
  "softmax": {title: "Softmax", sampling: "natural"},
  "oversampling": {title: "Oversampling", sampling: "class-balanced"},
  "class-weighting": {title: "Class weighting", sampling: "natural", weighted: true},
  "clmle": {title: "CLMLE", sampling: "clusters", marginWeight: 1},
  "clmle, untrained": {title: "CLMLE, untrained", sampling: "clusters", marginWeight: 1, untrained: true},
  "clmle, without Eq. 9": {title: "CLMLE, without Eq. 9", sampling: "clusters", marginWeight: 0},
  "clmle, one cluster": {title: "CLMLE, one cluster", sampling: "clusters", marginWeight: 1, clusters: 1},
};

// Whether the number of clusters of each class changes what a method does.
const usesClusters = name => METHODS[name].sampling === "clusters" && METHODS[name].clusters !== 1;

// Training rows of the batch of `step`.
function drawBatch(method, labels, index, seed, step) {
  const n = labels.length, random = new Generator(seed, 10, step);
  if (method.sampling === "natural") {  // epochs that each shuffle all points
    return Array.from({length: BATCH}, (_, i) => step * BATCH + i).map((at, i, all) => {
      const epoch = Math.floor(at / n);
      if (i === 0 || at % n === 0) all.order = new Generator(seed, 11, epoch).permutation(n);
      return all.order[at % n];
    });
  }
  const members = [0, 1].map(c => labels.flatMap((l, i) => (l === c ? [i] : [])));
  if (method.sampling === "class-balanced") {
    return members.flatMap(rows => random.choose(rows, BATCH / 2, true));
  }
  const exact = BATCH * classProportions(labels)[1];
  const minority = Math.floor(exact) + (random.uniform() < exact - Math.floor(exact));
  return [BATCH - minority, minority].flatMap((count, c) => {
    const rows = members[c];
    if (rows.length < n / 2) return random.choose(rows, count, count > rows.length);
    const {clusters, proportions} = index.proportions(c);
    return random.multinomial(count, proportions).flatMap((part, k) => {
      const own = rows.filter(row => index.assignment[row] === clusters[k]);
      return random.choose(own, part, part > own.length);
    });
  });
}

// Expected class proportions of CLMLE's batches: even, but at most 40 % of the points of a class.
function classProportions(labels) {
  const n = labels.length, counts = [0, 1].map(c => labels.filter(l => l === c).length);
  if (MAX_FRACTION * n <= BATCH) return [0.5, 0.5];
  const few = Math.min(...counts), least = Math.min(0.5, MAX_FRACTION * few / BATCH);
  return counts[1] === few ? [1 - least, least] : [least, 1 - least];
}

// Loss of every sample of a batch, and the gradients with respect to features and logits.
function lossOf(method, index, labels, out, trainLabels) {
  const n = out.n, dim = out.features.length / n;
  const gradLogits = new Float64Array(2 * n), gradFeatures = new Float64Array(n * dim);
  const losses = new Float64Array(n);
  let softmax = 0, margin = 0;  // means over the batch
  let shift = [0, 0], weights = [1, 1];
  if (method.sampling === "clusters") shift = classProportions(trainLabels).map(Math.log);
  if (method.weighted) {
    const counts = [0, 1].map(c => trainLabels.filter(l => l === c).length);
    weights = counts.map(count => trainLabels.length / (2 * count));
  }
  const totalWeight = labels.reduce((sum, l) => sum + weights[l], 0);
  for (let i = 0; i < n; i++) {
    const a = out.logits[2 * i] + shift[0], b = out.logits[2 * i + 1] + shift[1];
    const high = Math.max(a, b), logSum = high + Math.log(Math.exp(a - high) + Math.exp(b - high));
    losses[i] = logSum - (labels[i] ? b : a);
    const factor = weights[labels[i]] / totalWeight;
    softmax += factor * losses[i];
    gradLogits[2 * i] = factor * (Math.exp(a - logSum) - (labels[i] === 0));
    gradLogits[2 * i + 1] = factor * (Math.exp(b - logSum) - (labels[i] === 1));
  }
  const units = Array.from({length: n}, (_, i) => Array.from({length: dim},
    (_, k) => out.features[i * dim + k] / FEATURE_NORM));
  if (method.marginWeight) {
    const counts = [0, 1].map(c => labels.filter(l => l === c).length);
    const present = counts.filter(Boolean).length;
    for (let i = 0; i < n; i++) {
      const weight = n / (present * counts[labels[i]]);  // by inverse class frequency
      const {value, gradient} = eq9(units[i], labels[i], index);
      margin += weight * value / n;
      losses[i] += weight * value;
      // d/dz of f = z / |z|: |z| is constant, and the network removes the part along f.
      gradient.forEach((g, k) => { gradFeatures[i * dim + k] = weight * g / (n * FEATURE_NORM); });
    }
  }
  return {losses, parts: {softmax, margin}, total: softmax + margin, units, gradLogits, gradFeatures};
}

// The first term of Eq. 9 (mean as denominator): the hinge of the nearest cluster of the own class
// against the nearest clusters of the other class.
function eq9(unit, label, index) {
  let own = -Infinity, nearest = null;
  const others = [];
  index.centroids.forEach((mu, k) => {
    const similarity = dot(unit, mu);
    if (index.classes[k] !== label) others.push([similarity, mu]);
    else if (similarity > own) { own = similarity; nearest = mu; }
  });
  others.sort((a, b) => b[0] - a[0]).splice(NEGATIVES);
  const high = others[0][0];
  const terms = others.map(([similarity]) => Math.exp(SCALE * (similarity - high)));
  const sum = terms.reduce((a, b) => a + b, 0);
  const value = SCALE * (A1 - own + high) + Math.log(sum) - Math.log(others.length);
  if (value <= 0) return {value: 0, gradient: unit.map(() => 0)};
  const gradient = unit.map((_, k) => SCALE
    * (others.reduce((total, [, mu], j) => total + terms[j] / sum * mu[k], 0) - nearest[k]));
  return {value, gradient};
}
