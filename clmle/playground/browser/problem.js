// The points of the playground: two classes of several modes on a circle or a sphere, hidden among
// nuisance dimensions by a rotation (clmle/playground/problem.py).

const MAJORITY = 480, HELD_OUT = 240, NUISANCE = 6, NUISANCE_STD = 0.2;
const OWN_SPREAD = 0.06;  // radians by which test points differ from points that were drawn by hand

function modeCenters({modes, dim}) {
  const n = 2 * modes;
  return Array.from({length: n}, (_, i) => {
    if (dim === 2) {
      const angle = Math.PI / 2 + 2 * Math.PI * i / n;
      return [Math.cos(angle), Math.sin(angle)];
    }
    const height = 1 - (2 * i + 1) / n, turn = Math.PI * (1 + Math.sqrt(5)) * i;
    const radius = Math.sqrt(1 - height * height);
    return [radius * Math.cos(turn), radius * Math.sin(turn), height];
  });
}

function modeSpread(problem) {
  const centers = modeCenters(problem);
  let most = -1;
  centers.forEach((a, i) => centers.forEach((b, j) => { if (i < j) most = Math.max(most, dot(a, b)); }));
  return problem.noise * Math.acos(Math.max(-1, Math.min(1, most)));
}

// Parts "train" and "test": inputs of the network, labels (0 majority, 1 minority), modes and places
// on the circle. `problem.own` holds angles in degrees that were drawn by hand, for each class.
function drawPoints(problem) {
  const own = problem.own, dim = own ? 2 : problem.dim;
  const rotation = randomRotation(dim + NUISANCE, new Generator(problem.seed, 3));
  const centers = own ? null : modeCenters(problem);
  const kappa = own ? 1 / OWN_SPREAD ** 2 : 1 / modeSpread(problem) ** 2;
  const minority = Math.max(2, Math.round(MAJORITY / problem.ratio));
  const part = (number, counts) => {
    const found = {inputs: [], labels: [], modes: [], places: []};
    counts.forEach((count, c) => {
      // All points are drawn whatever the ratio, so that fewer points are a subset of more.
      const whole = number === 0 ? MAJORITY : HELD_OUT;
      const place = new Generator(problem.seed, number, c, 1);
      const nuisance = new Generator(problem.seed, number, c, 2);
      for (let i = 0; i < (own ? count : whole); i++) {
        const mode = own ? i % own[c].length : i % problem.modes;
        const center = own ? atAngle(own[c][mode]) : centers[2 * mode + c];
        const at = own && number === 0 ? center : place.around(center, kappa);
        const row = [...at];
        for (let k = 0; k < NUISANCE; k++) row.push(NUISANCE_STD * nuisance.normal());
        if (i >= count) continue;
        found.inputs.push(rotation.map(column => dot(row, column)));
        found.labels.push(c);
        found.modes.push(own ? 0 : mode);
        found.places.push(at);
      }
    });
    return found;
  };
  const sizes = own ? own.map(points => points.length) : [MAJORITY, minority];
  return {train: part(0, sizes), test: part(2, [HELD_OUT, HELD_OUT]), dim, sizes};
}

const atAngle = degrees => [Math.cos(degrees * Math.PI / 180), Math.sin(degrees * Math.PI / 180)];

// Orthonormal columns by Gram and Schmidt from normal numbers.
function randomRotation(size, random) {
  const columns = [];
  while (columns.length < size) {
    let v = Array.from({length: size}, () => random.normal());
    for (let pass = 0; pass < 2; pass++) {
      for (const u of columns) { const p = dot(u, v); v = v.map((x, i) => x - p * u[i]); }
    }
    columns.push(scaled(v));
  }
  return columns;
}
