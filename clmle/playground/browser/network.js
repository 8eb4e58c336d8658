// The multilayer perceptron of the playground and its gradients (clmle/playground/network.py).

const FEATURE_NORM = 8, WIDTH = 64, INPUT_SCALE = 3, MOMENTUM = 0.9;

class Linear {
  constructor(nIn, nOut, random) {
    this.nIn = nIn;
    this.nOut = nOut;
    const bound = 1 / Math.sqrt(nIn), draw = () => bound * (2 * random.uniform() - 1);
    this.weight = Float64Array.from({length: nIn * nOut}, draw);  // (nOut, nIn)
    this.bias = Float64Array.from({length: nOut}, draw);
    this.velocity = [new Float64Array(nIn * nOut), new Float64Array(nOut)];
  }

  forward(x, n, activation) {
    const {nIn, nOut, weight, bias} = this, out = new Float64Array(n * nOut);
    for (let r = 0; r < n; r++) {
      const at = r * nIn, to = r * nOut;
      let o = 0;
      for (; o + 4 <= nOut; o += 4) {  // four sums at a time, since each addition waits for the last
        const w = o * nIn;
        let a = bias[o], b = bias[o + 1], c = bias[o + 2], d = bias[o + 3];
        for (let i = 0; i < nIn; i++) {
          const v = x[at + i];
          a += weight[w + i] * v;
          b += weight[w + nIn + i] * v;
          c += weight[w + 2 * nIn + i] * v;
          d += weight[w + 3 * nIn + i] * v;
        }
        out[to + o] = a;
        out[to + o + 1] = b;
        out[to + o + 2] = c;
        out[to + o + 3] = d;
      }
      for (; o < nOut; o++) {
        let sum = bias[o];
        for (let i = 0; i < nIn; i++) sum += weight[o * nIn + i] * x[at + i];
        out[to + o] = sum;
      }
    }
    if (activation) for (let i = 0; i < out.length; i++) out[i] = Math.tanh(out[i]);
    return out;
  }

  // Gradients of weights and bias are kept for step(); returns that of the input.
  backward(x, n, gradient) {
    const {nIn, nOut, weight} = this;
    const back = new Float64Array(n * nIn);
    this.gradients = [new Float64Array(nIn * nOut), new Float64Array(nOut)];
    const [gw, gb] = this.gradients;
    for (let r = 0; r < n; r++) {
      for (let o = 0; o < nOut; o++) {
        const g = gradient[r * nOut + o], w = o * nIn, at = r * nIn;
        if (g === 0) continue;
        gb[o] += g;
        for (let i = 0; i < nIn; i++) {
          gw[w + i] += g * x[at + i];
          back[at + i] += g * weight[w + i];
        }
      }
    }
    return back;
  }

  step(rate) {
    [this.weight, this.bias].forEach((values, k) => {
      const velocity = this.velocity[k], gradient = this.gradients[k];
      for (let i = 0; i < values.length; i++) {
        velocity[i] = MOMENTUM * velocity[i] + gradient[i];
        values[i] -= rate * velocity[i];
      }
    });
  }
}

class Network {
  constructor(nInputs, dim, random) {
    this.nInputs = nInputs;
    this.dim = dim;
    this.layers = [new Linear(nInputs, WIDTH, random), new Linear(WIDTH, WIDTH, random),
      new Linear(WIDTH, dim, random), new Linear(dim, 2, random)];
  }

  // `inputs` is a list of rows. Features have length FEATURE_NORM.
  forward(inputs) {
    const n = inputs.length, {dim, nInputs, layers: [first, second, third, head]} = this;
    const x = new Float64Array(n * nInputs);
    inputs.forEach((row, r) => row.forEach((v, i) => { x[r * nInputs + i] = INPUT_SCALE * v; }));
    const h1 = first.forward(x, n, true), h2 = second.forward(h1, n, true);
    const raw = third.forward(h2, n, false), norms = new Float64Array(n);
    const features = new Float64Array(n * dim);
    for (let r = 0; r < n; r++) {
      let square = 0;
      for (let k = 0; k < dim; k++) square += raw[r * dim + k] ** 2;
      norms[r] = Math.max(Math.sqrt(square), 1e-12);
      for (let k = 0; k < dim; k++) features[r * dim + k] = FEATURE_NORM * raw[r * dim + k] / norms[r];
    }
    return {n, x, h1, h2, norms, features, logits: head.forward(features, n, false)};
  }

  // Gradients from those of the features z (n, dim) and of the logits (n, 2).
  backward({n, x, h1, h2, norms, features}, gradFeatures, gradLogits) {
    const {dim, layers: [first, second, third, head]} = this;
    const g = head.backward(features, n, gradLogits), graw = new Float64Array(n * dim);
    for (let r = 0; r < n; r++) {
      let along = 0;  // the direction of the feature itself has no gradient
      for (let k = 0; k < dim; k++) {
        g[r * dim + k] += gradFeatures[r * dim + k];
        along += g[r * dim + k] * features[r * dim + k] / FEATURE_NORM;
      }
      for (let k = 0; k < dim; k++) {
        const unit = features[r * dim + k] / FEATURE_NORM;
        graw[r * dim + k] = (g[r * dim + k] - along * unit) * FEATURE_NORM / norms[r];
      }
    }
    const throughTanh = (gradient, h) => gradient.map((v, i) => v * (1 - h[i] * h[i]));
    const g2 = throughTanh(third.backward(h2, n, graw), h2);
    const g1 = throughTanh(second.backward(h1, n, g2), h1);
    first.backward(x, n, g1);
  }

  step(rate) { this.layers.forEach(layer => layer.step(rate)); }
}
