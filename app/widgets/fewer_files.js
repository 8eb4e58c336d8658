// The browser sends only as many files as are used: each file is a request, and a thousand of them
// would block the tab for minutes.
export default function({parentElement, data}) {
  const zone = document.querySelector(".st-key-" + data.key);
  const status = parentElement.querySelector("span");
  if (!zone || zone.bounded) return;
  zone.bounded = true;
  const first = files => {
    const kept = new DataTransfer();
    for (const file of Array.from(files).slice(0, data.most)) kept.items.add(file);
    status.textContent = files.length.toLocaleString("en") + " images were selected; the first " +
      data.most + " are used.";
    return kept.files;
  };
  zone.addEventListener("change", event => {
    const input = event.target;
    if (input.type !== "file") return;
    if (input.files.length > data.most) input.files = first(input.files);
    else if (event.isTrusted) status.textContent = "";  // not after a drop
  }, true);
  zone.addEventListener("drop", event => {
    const input = zone.querySelector("input[type=file]");
    if (!input || event.dataTransfer.files.length <= data.most) return;
    event.preventDefault();
    event.stopPropagation();
    input.files = first(event.dataTransfer.files);
    event.target.dispatchEvent(new DragEvent("dragleave", {bubbles: true}));
    input.dispatchEvent(new Event("change", {bubbles: true}));
  }, true);
}
