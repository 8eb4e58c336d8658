// Takes the frame of the first view, where the browser can move it without a restart.
export default function({data, parentElement}) {
  const place = parentElement.querySelector(".place"), view = document.getElementById("first-view");
  if (place.firstChild) return;
  const early = view?.querySelector("iframe");
  if (early && place.moveBefore) {
    place.moveBefore(early, null);
    if (early.contentDocument) early.contentDocument.documentElement.dataset.theme = data.theme;
  } else place.append(Object.assign(document.createElement("iframe"), {title: data.title, srcdoc: data.page}));
  view?.remove();
}
