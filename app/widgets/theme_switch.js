// The theme of the system, light or dark; the page that carries the app sets it for every page.
export default function({data, parentElement}) {
  const choices = parentElement.querySelector("select");
  const stored = () => { try { return localStorage.getItem(data.name) || ""; } catch { return ""; } };
  choices.value = stored();
  choices.onchange = () => {
    try {
      if (choices.value) localStorage.setItem(data.name, choices.value);
      else {
        localStorage.removeItem(data.name);
        for (const key of Object.keys(localStorage))
          if (key.startsWith("stActiveTheme-")) localStorage.removeItem(key);
      }
    } catch { /* nothing is stored: the choice holds for no reload */ }
    location.reload();
  };
}
