// Random numbers from whole-number keys: the same keys give the same numbers in every browser.

class Generator {
  constructor(...keys) {
    let h = 0x9e3779b9;
    const word = () => {
      h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
      h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
      return (h ^= h >>> 16) >>> 0;
    };
    this.state = [0, 1, 2, 3].map(i => {
      for (const key of [i, ...keys]) { h = (h + Math.imul(key + 1, 0x27d4eb2f)) | 0; word(); }
      return word();
    });
    for (let i = 0; i < 12; i++) this.uniform();
  }

  uniform() {  // sfc32; 32 bits in [0, 1)
    let [a, b, c, d] = this.state;
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + t) | 0;
    this.state = [a, b, c, d];
    return (t >>> 0) / 4294967296;
  }

  below(n) { return Math.floor(this.uniform() * n); }

  normal() {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  permutation(n) {
    const order = Array.from({length: n}, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  }

  choose(from, count, repeated) {
    if (repeated) return Array.from({length: count}, () => from[this.below(from.length)]);
    return this.permutation(from.length).slice(0, count).map(i => from[i]);
  }

  multinomial(count, proportions) {
    const drawn = proportions.map(() => 0);
    for (let i = 0; i < count; i++) {
      let left = this.uniform(), k = 0;
      while (k < proportions.length - 1 && left >= proportions[k]) left -= proportions[k++];
      drawn[k]++;
    }
    return drawn;
  }

  // A unit vector of the von Mises-Fisher distribution around `center`.
  around(center, kappa) {
    if (center.length === 3) {
      const u = this.uniform();
      const w = 1 + Math.log(u + (1 - u) * Math.exp(-2 * kappa)) / kappa;
      return tilted(center, Math.acos(Math.max(-1, Math.min(1, w))),
        2 * Math.PI * this.uniform());
    }
    const angle = Math.atan2(center[1], center[0]) + this.vonMises(kappa);
    return [Math.cos(angle), Math.sin(angle)];
  }

  vonMises(kappa) {  // Best and Fisher (1979)
    const tau = 1 + Math.sqrt(1 + 4 * kappa * kappa);
    const rho = (tau - Math.sqrt(2 * tau)) / (2 * kappa);
    const r = (1 + rho * rho) / (2 * rho);
    for (;;) {
      const z = Math.cos(Math.PI * this.uniform()), u = this.uniform();
      const f = (1 + r * z) / (r + z), c = kappa * (r - f);
      if (c * (2 - c) > u || Math.log(c / u) + 1 >= c) {
        return Math.sign(this.uniform() - 0.5) * Math.acos(Math.max(-1, Math.min(1, f)));
      }
    }
  }
}

// The unit vector at `angle` from `center` (on the sphere), in the direction `turn`.
function tilted(center, angle, turn) {
  const least = center.map(Math.abs).indexOf(Math.min(...center.map(Math.abs)));
  const u = scaled(cross(center, [0, 1, 2].map(i => +(i === least)))), v = cross(center, u);
  return center.map((m, i) => Math.cos(angle) * m
    + Math.sin(angle) * (Math.cos(turn) * u[i] + Math.sin(turn) * v[i]));
}

function cross(a, b) {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function scaled(a, length = 1) {
  const norm = Math.max(Math.sqrt(dot(a, a)), 1e-12);
  return a.map(x => length * x / norm);
}
