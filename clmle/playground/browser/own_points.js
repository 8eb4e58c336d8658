// A circle on which points of both classes are drawn, with the mouse, a finger or the keyboard.

class PointEditor {
  constructor(place, changed) {
    this.points = [[], []];
    this.history = [];
    this.cursor = 90;
    this.changed = changed;
    this.canvas = make("canvas", {tabIndex: 0, role: "application", ariaLabel: "Circle to draw points on. "
      + "Arrow keys move the cursor, Enter adds a point, Backspace removes the last one."});
    const kind = make("div", {className: "row", role: "radiogroup", ariaLabel: "Class of new points"});
    ["majority", "minority"].forEach((name, c) => {
      const label = make("label", {className: "inline"});
      const input = make("input", {type: "radio", name: "own-class", checked: c === 0});
      input.onchange = () => { this.kind = c; };
      label.append(input, ` ${name}`);
      kind.append(label);
    });
    this.kind = 0;
    const button = (text, act) => {
      const made = make("button", {type: "button", textContent: text});
      made.onclick = act;
      kind.append(made);
    };
    button("Remove the last point", () => this.undo());
    button("Clear", () => { this.points = [[], []]; this.history = []; this.update(); });
    this.status = make("p", {role: "status", className: "note"});
    place.append(kind, this.canvas, this.status);
    this.canvas.onpointerdown = e => { this.canvas.setPointerCapture(e.pointerId); this.last = null; this.pen(e); };
    this.canvas.onpointermove = e => { if (e.buttons) this.pen(e); };
    this.canvas.onkeydown = e => this.key(e);
  }

  pen(e) {
    const box = this.canvas.getBoundingClientRect();
    const x = e.clientX - box.left - box.width / 2, y = box.top + box.height / 2 - e.clientY;
    const angle = (Math.round(Math.atan2(y, x) * 180 / Math.PI) + 360) % 360;
    if (this.last !== null && Math.abs(angle - this.last) < 3) return;  // a stroke is a row of points
    this.last = angle;
    this.add(angle);
  }

  key(e) {
    const move = {ArrowLeft: 3, ArrowUp: 3, ArrowRight: -3, ArrowDown: -3}[e.key];
    if (move) this.cursor = (this.cursor + move + 360) % 360;
    else if (e.key === "Enter" || e.key === " ") this.add(this.cursor);
    else if (e.key === "Backspace") this.undo();
    else return;
    e.preventDefault();
    this.draw();
  }

  add(angle) {
    if (this.points[this.kind].length >= MAX_OWN) return;
    this.points[this.kind].push(angle);
    this.history.push(this.kind);
    this.update();
  }

  undo() {
    const c = this.history.pop() ?? (this.points[1].length ? 1 : 0);
    this.points[c].pop();
    this.update();
  }

  update() {
    this.draw();
    this.changed(this.points.some(own => own.length) ? this.points : null);
  }

  set(points) {
    this.points = points ? points.map(own => [...own]) : [[], []];
    this.draw();
  }

  draw() {
    const {context: c, w, h} = surface(this.canvas), ink = inks(), project = projector(w, h, 2);
    const [x0, y0] = project([0, 0]);
    c.strokeStyle = ink.quiet;
    c.beginPath();
    c.arc(x0, y0, project([1, 0])[0] - x0, 0, 7);
    c.stroke();
    this.points.forEach((own, kind) => own.forEach((angle, i) => {
      const [x, y] = project(atAngle(angle), kind ? RADIUS.minority : DEPTHS[i]);
      if (kind) drawDiamond(c, x, y, 4.5, ink.minority, true); else drawDot(c, x, y, ink.majority, 0.8);
    }));
    const [cx, cy] = project(atAngle(this.cursor), RADIUS.region);
    c.strokeStyle = ink.ink;
    c.lineWidth = 2;
    c.beginPath();
    c.arc(cx, cy, 5, 0, 7);
    c.stroke();
    const [a, b] = this.points.map(own => own.length);
    this.status.textContent = !a && !b ? "No points drawn: the sliders' points are used."
      : `${a} majority and ${b} minority points.` + (enough(this.points) ? "" : " Draw two of each class or more.");
  }
}

const enough = points => points.every(own => own.length >= 2);
