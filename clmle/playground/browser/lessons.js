// Guided lessons: steps that are ticked when the trained methods fulfil them, and questions.
// LESSONS holds lessons.toml; the conditions are those of clmle/playground/lessons.py.

function metricOf(attempt, {metric, method, baseline = "softmax"}) {
  if (metric in attempt.settings) return attempt.settings[metric];
  const frame = attempt.frames[method];
  if (!frame) return NaN;
  const [majority, minority] = frame.recall, ratio = attempt.settings.ratio;
  if (metric === "minority recall") return minority;
  if (metric === "accuracy") return (ratio * majority + minority) / (ratio + 1);
  if (metric === "gain") {
    const other = attempt.frames[baseline];
    return other ? frame.balanced - other.balanced : NaN;
  }
  return frame.balanced;
}

function holds(condition, attempt) {
  if (condition.method === "any") {
    return Object.keys(attempt.frames).some(method => holds({...condition, method}, attempt));
  }
  const value = metricOf(attempt, condition);
  const {at_least = -Infinity, at_most = Infinity, above = -Infinity, below = Infinity} = condition;
  return value >= at_least && value <= at_most && value > above && value < below;
}

const reached = (step, attempt) => step.reached.some(all => all.every(c => holds(c, attempt)));

function stepsDone(lesson, attempt, done) {
  while (done < lesson.steps.length && reached(lesson.steps[done], attempt)) done++;
  return done;
}

class LessonPanel {
  // ``bar`` holds the current step next to the sliders where these stay on a small screen.
  constructor(place, bar, {choose, begin}) {
    Object.assign(this, {place, bar, choose, begin, done: {}});
  }

  show(name) {
    this.lesson = LESSONS.find(lesson => lesson.name === name) || null;
    this.bar.replaceChildren();
    this.place.replaceChildren();
    const choice = make("div", {className: "row", role: "group", ariaLabel: "Lessons"});
    for (const lesson of LESSONS) {
      const chosen = lesson === this.lesson;
      const button = make("button", {type: "button", textContent: lesson.title, ariaPressed: `${chosen}`});
      button.onclick = () => this.choose(chosen ? null : lesson.name);
      choice.append(button);
    }
    this.place.append(choice);
    if (!this.lesson) return;
    this.list = make("ol", {className: "steps"});
    const begin = make("button", {type: "button", textContent: "Start: set the sliders"});
    begin.onclick = () => { this.done[name] = 0; this.begin(this.lesson); };
    const questions = make("details");
    questions.append(make("summary", {textContent: "Questions"}), ...this.lesson.questions.map(questionOf));
    this.place.append(this.list, begin, questions);
    this.tick(null);
  }

  tick(attempt) {
    if (!this.lesson) return;
    const {name, steps} = this.lesson;
    this.done[name] = stepsDone(this.lesson, attempt || NOTHING, this.done[name] || 0);
    this.list.replaceChildren(...steps.map((step, i) => {
      const done = i < this.done[name], item = make("li", {className: done ? "done" : ""});
      if (done) item.append(make("strong", {textContent: "Done. "}));
      item.append(step.task);
      if (done) item.append(" ", make("em", {textContent: step.explanation}));
      if (i === this.done[name]) item.ariaCurrent = "step";
      return item;
    }));
    const now = this.done[name], last = steps[now - 1];
    const task = now < steps.length ? `Step ${now + 1} of ${steps.length}: ${steps[now].task}` : "Lesson completed.";
    this.bar.replaceChildren(last ? `Done. ${last.explanation} ` : "", make("strong", {textContent: task}));
    if (now === steps.length) this.list.append(make("li", {className: "all", textContent: "Lesson completed."}));
  }
}

const NOTHING = {settings: {}, frames: {}};

function questionOf(question, number, all) {
  const box = make("fieldset"), answer = make("p", {className: "answer", role: "status"});
  const group = `question-${number}-${question.text.length}`;
  box.append(make("legend", {textContent: `Question ${number + 1} of ${all.length}. ${question.text}`}));
  question.choices.forEach((choice, i) => {
    const label = make("label"), input = make("input", {type: "radio", name: group});
    input.onchange = () => {
      const right = i === question.answer;
      answer.textContent = (right ? "Correct. " : "Not quite. ") + (right ? question.explanation : question.hint);
      answer.dataset.right = right;
    };
    label.append(input, " ", choice);
    box.append(label);
  });
  box.append(answer);
  return box;
}
