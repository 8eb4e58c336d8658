// Clusters of equal size on the circle or sphere (Eqs. 6-7) and the index of them (section 3.3).
//
// Lloyd's algorithm with a balanced assignment: samples take the nearest cluster that has room, the
// most similar pairs first, then pairs of samples are exchanged while that raises the sum of f.mu.

const STARTS = 5;

function balancedClusters(features, k, start, iterations, random) {
  if (start) return developed(features, k, start, iterations);
  const found = Array.from({length: k > 1 ? STARTS : 1},
    () => developed(features, k, plusPlus(features, k, random), iterations));
  return found.reduce((a, b) => (b.objective > a.objective ? b : a));
}

// Starting centroids: each new one is a row, in proportion to its distance (k-means++).
function plusPlus(features, k, random) {
  const n = features.length, centroids = [features[random.below(n)]];
  while (centroids.length < k) {
    const far = features.map(f => 1 - Math.max(...centroids.map(mu => dot(f, mu))));
    const total = far.reduce((a, b) => a + b, 0);
    let left = random.uniform() * total, i = 0;
    while (i < n - 1 && left >= far[i]) left -= far[i++];
    centroids.push(features[i]);
  }
  return centroids;
}

function developed(features, k, start, iterations) {
  const n = features.length;
  let centroids = start, labels = null;
  for (let round = 0; round < iterations; round++) {
    const similarity = features.map(f => centroids.map(mu => dot(f, mu)));
    const found = exchanged(similarity, nearestWithRoom(similarity, n, k), k);
    const same = labels && found.every((c, i) => c === labels[i]);
    labels = found;
    centroids = unitMeans(features, labels, k, centroids);
    if (same) break;
  }
  const objective = features.reduce((sum, f, i) => sum + dot(f, centroids[labels[i]]), 0);
  return {labels, centroids, objective};
}

function nearestWithRoom(similarity, n, k) {
  const room = Array.from({length: k}, (_, c) => Math.floor(n / k) + (c < n % k));
  const order = Array.from({length: n * k}, (_, i) => i);
  order.sort((a, b) => similarity[Math.floor(b / k)][b % k] - similarity[Math.floor(a / k)][a % k]);
  const labels = new Array(n).fill(-1);
  for (const i of order) {
    const row = Math.floor(i / k), c = i % k;
    if (labels[row] < 0 && room[c] > 0) { labels[row] = c; room[c]--; }
  }
  return labels;
}

function exchanged(similarity, labels, k) {
  for (let round = 0, moved = true; moved && round < 20; round++) {
    moved = false;
    for (let a = 0; a < k; a++) {
      for (let b = a + 1; b < k; b++) {
        const gains = (from, to) => labels.map((c, i) => [c, i]).filter(([c]) => c === from)
          .map(([, i]) => [similarity[i][to] - similarity[i][from], i]).sort((p, q) => q[0] - p[0]);
        const forth = gains(a, b), back = gains(b, a);
        for (let i = 0; i < Math.min(forth.length, back.length); i++) {
          if (forth[i][0] + back[i][0] <= 1e-9) break;
          labels[forth[i][1]] = b;
          labels[back[i][1]] = a;
          moved = true;
        }
      }
    }
  }
  return labels;
}

function unitMeans(features, labels, k, before) {
  const sums = Array.from({length: k}, () => new Array(features[0].length).fill(0));
  features.forEach((f, i) => f.forEach((v, j) => { sums[labels[i]][j] += v; }));
  return sums.map((sum, c) => (dot(sum, sum) > 1e-12 || !before ? scaled(sum) : before[c]));
}

class ClusterIndex {
  constructor(labels, perClass) {
    this.labels = labels;
    this.members = [0, 1].map(c => labels.flatMap((l, i) => (l === c ? [i] : [])));
    const counts = this.members.map(rows => Math.min(perClass, rows.length));
    this.first = [0, counts[0], counts[0] + counts[1]];
    this.classes = counts.flatMap((count, c) => new Array(count).fill(c));
    this.assignment = new Array(labels.length).fill(0);
    this.centroids = null;
    this.losses = new Array(labels.length).fill(null);
  }

  refresh(unit, random) {
    const before = this.centroids;
    this.centroids = [];
    this.members.forEach((rows, c) => {
      const start = before && before.slice(this.first[c], this.first[c + 1]);
      const own = balancedClusters(rows.map(i => unit[i]), this.first[c + 1] - this.first[c], start,
        before ? 3 : 15, random);
      rows.forEach((row, i) => { this.assignment[row] = this.first[c] + own.labels[i]; });
      this.centroids.push(...own.centroids);
    });
  }

  // Centroids move towards the means of the samples of a batch, and keep unit length.
  move(rows, unit, momentum) {
    const sums = new Map();
    rows.forEach((row, i) => {
      const cluster = this.assignment[row];
      const [sum, count] = sums.get(cluster) || [unit[i].map(() => 0), 0];
      sums.set(cluster, [sum.map((v, k) => v + unit[i][k]), count + 1]);
    });
    for (const [cluster, [sum, count]] of sums) {
      this.centroids[cluster] = scaled(this.centroids[cluster]
        .map((v, k) => momentum * v + (1 - momentum) * sum[k] / count));
    }
  }

  // Proportion in which each cluster of a class is drawn: half by loss squared, half by size.
  proportions(c) {
    const clusters = this.classes.flatMap((own, k) => (own === c ? [k] : []));
    const sizes = clusters.map(() => 0), seen = clusters.map(() => [0, 0]);
    for (const row of this.members[c]) {
      const k = this.assignment[row] - clusters[0];
      sizes[k]++;
      if (this.losses[row] !== null) { seen[k][0] += this.losses[row]; seen[k][1]++; }
    }
    const known = seen.filter(([, count]) => count).map(([sum, count]) => sum / count);
    const mean = known.length ? known.reduce((a, b) => a + b, 0) / known.length : 1;
    const losses = seen.map(([sum, count]) => (count ? sum / count : mean));
    const least = 1e-3 * Math.max(...losses, 1e-12);
    const hard = losses.map((loss, k) => Math.max(loss, least) ** 2 * sizes[k]);
    const all = hard.reduce((a, b) => a + b, 0), n = this.members[c].length;
    return {clusters, proportions: hard.map((h, k) => 0.5 * h / all + 0.5 * sizes[k] / n)};
  }
}
