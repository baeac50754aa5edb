// A text cut into its tokens, each on its colour. What people wrote is put in as text, never as HTML.
export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".tokens");
  root.replaceChildren();
  root.setAttribute("aria-label", data.name);
  for (const [text, title, colour] of data.tokens) {
    const span = document.createElement("span");
    span.textContent = text.replaceAll("\n", "⏎").replaceAll("\t", "⇥").replaceAll(" ", "\u00a0");
    span.title = title;
    span.style.backgroundColor = colour;
    root.append(span);
    if (text.endsWith("\n")) root.append(document.createElement("br"));
    else root.append(document.createElement("wbr"));
  }
}
