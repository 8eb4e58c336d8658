export default function({parentElement, data}) {
  const status = parentElement.querySelector("span"), row = parentElement.querySelector(".row");
  row.querySelectorAll("button").forEach(button => button.remove());
  for (let [label, text] of Object.entries(data.texts).reverse()) {
    const button = document.createElement("button");
    button.type = "button"; button.textContent = label;
    button.onclick = async () => {
      text ??= location.href;  // it holds what the page shows
      try { await navigator.clipboard.writeText(text); }
      catch { const area = document.createElement("textarea");
        area.value = text; document.body.append(area); area.select();
        document.execCommand("copy"); area.remove(); }
      status.textContent = "Copied";
    };
    row.prepend(button);
  }
}
