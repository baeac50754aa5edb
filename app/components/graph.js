// Draws a graph whose places Python has worked out, and tells Python which node was chosen.
// Every word is put in as text, never as HTML.
import { keepDrawn } from "./line.js";

const SVG = "http://www.w3.org/2000/svg";
const LEGIBLE = 10; // pixels of the text to begin with, at least
const SMALLEST = 9; // the same in a graph that is always seen whole
const FONT = 12;
const LINE = 14;
// Okabe and Ito's colours, and a sign for each, so that no kind is told by colour alone.
const STYLES = [
  ["#0072B2", "●"], ["#D55E00", "■"], ["#009E73", "▲"], ["#CC79A7", "◆"],
  ["#E69F00", "★"], ["#56B4E9", "✚"], ["#8A8F98", "▬"], ["#B07C10", "▼"],
];

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".graph");
  root.choose = (id) => setTriggerValue("chosen", id);
  return keepDrawn(root, data, (text) => {
    if (root.text === text) return;
    root.text = text;
    show(root, JSON.parse(text));
  });
}

function show(root, data) {
  const shape = JSON.stringify({ ...data, chosen: "", path: [], states: {}, told: {} });
  if (root.drawing?.shape !== shape) {
    root.drawing?.observer.disconnect();
    root.drawing = draw(root, data, shape);
  }
  mark(root.drawing, data);
}

function make(parent, tag, attributes = {}, text = "") {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text) element.textContent = text;
  parent.append(element);
  return element;
}

function draw(root, data, shape) {
  const svg = root.querySelector(".canvas");
  root.style.minHeight = ""; // which kept its place free
  svg.replaceChildren();
  svg.setAttribute("aria-label", data.name);
  svg.style.height = `${data.height}px`;
  svg.classList.toggle("labelled", data.label_lines);
  root.classList.toggle("small", data.small);
  const scale = data.unit; // pixels of one layer, of one row
  const size = { width: scale.x * data.share.x, height: scale.y * data.share.y };
  const drawing = { shape, svg, data, scale, size, nodes: new Map(), edges: [], choose: (id) => root.choose(id) };
  const under = make(svg, "g");
  const over = make(svg, "g");
  for (const line of data.lines) drawing.edges.push(edge(under, line, drawing));
  const inReadingOrder = [...data.boxes].sort((a, b) => a.x - b.x || a.y - b.y);
  for (const box of inReadingOrder) drawing.nodes.set(box.id, node(over, box, drawing));
  legend(root, data);
  list(root, drawing);
  drawing.all = bounds(drawing);
  look(drawing, drawing.all);
  if (data.small) fit(root, drawing);
  else {
    toolbar(root, drawing);
    move(drawing);
  }
  return drawing;
}

function node(parent, box, drawing) {
  const [colour, sign] = STYLES[box.style % STYLES.length];
  const [width, height] = [drawing.size.width, drawing.size.height];
  const place = `translate(${box.x * drawing.scale.x} ${box.y * drawing.scale.y})`;
  const group = make(parent, "g", {
    class: "node", transform: place, tabindex: 0, role: drawing.data.small ? "link" : "button",
    "aria-label": `${box.label}, ${box.kind}`,
  });
  group.style.setProperty("--kind", colour);
  make(group, "title", {}, `${box.label} · ${box.kind}`);
  make(group, "rect", { x: -width / 2, y: -height / 2, width, height, rx: 7 });
  make(group, "text", { class: "sign", x: -width / 2 + 10, y: 0 }, sign);
  const [room, middle] = drawing.data.small ? [width - 14, 0] : [width - 24, 7]; // a small one shows no sign
  const lines = wrapped(box.label, room, Math.floor((height - 8) / LINE));
  const longest = Math.max(...lines.map(breadth));
  lines.forEach((words, index) => {
    const text = make(group, "text", { x: middle, y: (index - (lines.length - 1) / 2) * LINE }, words);
    if (longest > room) text.style.fontSize = `${Math.max(8.5, (FONT * room) / longest)}px`;
  });
  make(group, "text", { class: "figure", x: 0, y: height / 2 + 10 });
  group.addEventListener("click", () => drawing.dragged || drawing.choose(box.id));
  group.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      drawing.choose(box.id);
    }
  });
  for (const [begin, end] of [["mouseenter", "mouseleave"], ["focus", "blur"]]) {
    group.addEventListener(begin, () => light(drawing, box.id));
    group.addEventListener(end, () => light(drawing, ""));
  }
  group.addEventListener("focus", () => reveal(drawing, box));
  return group;
}

function breadth(words) {
  return [...words].reduce((sum, letter) => sum + (letter > "\u2e80" ? 12 : 6.4), 0);
}

// One line, or two of about the same length; more only where two are too long and `most` allows it.
function wrapped(words, room, most) {
  const torn = words[0] < "\u2e80" ? 1 : 1.15; // Chinese has no spaces: rather a little smaller than torn inside a word
  if (breadth(words) <= room * torn) return [words];
  const spaces = [...words.matchAll(/[ -]/g)].map((found) => found.index + 1);
  const places = spaces.length || words[0] < "\u2e80" ? spaces : [Math.ceil(words.length / 2)];
  if (!places.length) return [words];
  const pairs = places.map((at) => [words.slice(0, at).trim(), words.slice(at).trim()]);
  const best = pairs.sort((a, b) => Math.max(...a.map(breadth)) - Math.max(...b.map(breadth)))[0];
  if (most < 3 || Math.max(...best.map(breadth)) <= room) return best;
  const word = words.slice(0, spaces[0]);
  return [word.trim(), ...wrapped(words.slice(spaces[0]), room, most - 1)];
}

function edge(parent, line, { scale, data: { curved } }) {
  const points = line.points.map(([x, y]) => [x * scale.x, y * scale.y]);
  const group = make(parent, "g", { class: "edge", "aria-hidden": "true" });
  let d = `M${points[0]}`;
  for (let i = 1; i < points.length; i++) {
    const [[px, py], [qx, qy]] = [points[i - 1], points[i]];
    const half = (px + qx) / 2;
    d += curved ? `C${half},${py} ${half},${qy} ${qx},${qy}` : `L${qx},${qy}`;
  }
  const path = make(group, "path", { d });
  const [[px, py], [qx, qy]] = points.slice(-2);
  const turn = curved ? (qx > px ? 0 : 180) : (Math.atan2(qy - py, qx - px) * 180) / Math.PI;
  make(group, "path", { class: "head", d: "M0 0L-8 -4L-8 4Z", transform: `translate(${qx} ${qy}) rotate(${turn})` });
  const middle = path.getPointAtLength(path.getTotalLength() / 2);
  make(group, "text", { x: middle.x, y: middle.y - 4 }, line.label);
  return { ...line, group };
}

function mark(drawing, data) {
  const steps = new Set(data.path.slice(1).map((id, i) => [data.path[i], id].sort().join(" ")));
  drawing.nodes.forEach((group, id) => {
    group.classList.toggle("chosen", id === data.chosen);
    group.classList.toggle("on-path", data.path.includes(id));
    if (!data.small) group.setAttribute("aria-pressed", id === data.chosen);
    const state = data.states[id];
    if (!state) return;
    const box = drawing.data.boxes.find((box) => box.id === id);
    group.dataset.state = state.state;
    group.querySelector(".sign").textContent = state.sign;
    group.querySelector(".figure").textContent = state.figure;
    group.setAttribute("aria-label", [box.label, state.word, state.figure].filter(Boolean).join(", "));
  });
  for (const { start, end, label, group } of drawing.edges) {
    group.classList.toggle("on-path", steps.has([start, end].sort().join(" ")));
    const told = data.told[`${start} ${end}`];
    group.classList.toggle("told", told !== undefined);
    group.querySelector("text").textContent = told ?? label;
  }
  const chosen = drawing.data.boxes.find((box) => box.id === data.chosen);
  if (chosen && drawing.begun && drawing.chosen !== data.chosen) reveal(drawing, chosen);
  drawing.chosen = data.chosen;
  drawing.svg.parentNode.querySelectorAll(".list button").forEach((button) => {
    if (!data.small) button.setAttribute("aria-pressed", button.dataset.id === data.chosen);
    const state = data.states[button.dataset.id];
    if (state) button.textContent = [button.dataset.label, state.sign, state.figure].filter(Boolean).join(" ");
  });
}

// A node and its neighbours stand out while one points at it.
function light(drawing, id) {
  drawing.svg.classList.toggle("dimmed", id !== "");
  const near = new Set([id]);
  for (const { start, end, group } of drawing.edges) {
    const lit = start === id || end === id;
    group.classList.toggle("lit", lit);
    if (lit) near.add(start).add(end);
  }
  drawing.nodes.forEach((group, other) => group.classList.toggle("lit", id !== "" && near.has(other)));
}

function legend(root, data) {
  const place = root.querySelector(".legend");
  place.replaceChildren();
  const kinds = new Map(data.boxes.map((box) => [box.kind, box.style]));
  if (kinds.size < 2) return;
  for (const [kind, style] of kinds) {
    const entry = document.createElement("span");
    const [colour, sign] = STYLES[style % STYLES.length];
    const symbol = document.createElement("span");
    symbol.style.color = colour;
    symbol.textContent = `${sign} `;
    entry.append(symbol, kind);
    place.append(entry);
  }
}

// Where there is no room, as on a phone, the graph is a list, by kind.
function list(root, drawing) {
  const place = root.querySelector(".list");
  place.replaceChildren();
  const kinds = new Set(drawing.data.boxes.map((box) => box.kind));
  for (const kind of kinds) {
    const heading = document.createElement("h4");
    heading.textContent = kind;
    heading.hidden = kinds.size < 2;
    const group = document.createElement("div");
    for (const box of drawing.data.boxes.filter((box) => box.kind === kind)) {
      const button = document.createElement("button");
      if (drawing.data.small) button.setAttribute("role", "link");
      button.textContent = box.label;
      button.dataset.id = box.id;
      button.dataset.label = box.label;
      button.addEventListener("click", () => drawing.choose(box.id));
      group.append(button);
    }
    place.append(heading, group);
  }
}

function toolbar(root, drawing) {
  const bar = root.querySelector(".bar");
  bar.replaceChildren();
  const words = drawing.data.words;
  const actions = [
    ["+", words.zoom_in, () => zoom(drawing, 0.8)],
    ["−", words.zoom_out, () => zoom(drawing, 1.25)],
    ["⤢", words.fit, () => look(drawing, drawing.all)],
    ["SVG", words.svg, () => save(`${drawing.data.file}.svg`, URL.createObjectURL(picture(drawing)))],
    ["PNG", words.png, () => savePng(drawing)],
  ];
  for (const [label, title, action] of actions) {
    const button = document.createElement("button");
    button.textContent = label;
    button.title = title;
    button.setAttribute("aria-label", title);
    button.addEventListener("click", action);
    bar.append(button);
  }
}

// What of the drawing is seen: {x, y, w, h} in its own pixels.
function look(drawing, view) {
  drawing.view = view;
  drawing.svg.setAttribute("viewBox", `${view.x} ${view.y} ${view.w} ${view.h}`);
}

function zoom(drawing, factor, at) {
  const { x, y, w, h } = drawing.view;
  const centre = at ?? [x + w / 2, y + h / 2];
  const bounded = Math.min(Math.max(w * factor, 200), drawing.all.w * 2) / w;
  look(drawing, {
    x: centre[0] - (centre[0] - x) * bounded, y: centre[1] - (centre[1] - y) * bounded, w: w * bounded, h: h * bounded,
  });
}

function bounds(drawing) {
  const { scale, size } = drawing;
  const xs = drawing.data.lines.flatMap((line) => line.points.map((p) => p[0]));
  const ys = drawing.data.lines.flatMap((line) => line.points.map((p) => p[1]));
  for (const box of drawing.data.boxes) { xs.push(box.x); ys.push(box.y); }
  const [left, right] = [Math.min(...xs) * scale.x - size.width * 0.6, Math.max(...xs) * scale.x + size.width * 0.6];
  const over = size.height * (drawing.data.small ? 0.7 : 1); // the others have figures below their boxes
  const [top, bottom] = [Math.min(...ys) * scale.y - over, Math.max(...ys) * scale.y + over];
  return { x: left, y: top, w: right - left, h: bottom - top };
}

// A small graph is seen whole, or is a list where it could not be read.
function fit(root, drawing) {
  root.querySelector(".bar").replaceChildren();
  drawing.observer = new ResizeObserver(() => {
    const shown = Math.min(root.clientWidth / drawing.all.w, drawing.data.height / drawing.all.h);
    if (root.clientWidth) root.classList.toggle("listed", shown * FONT < SMALLEST);
  });
  drawing.observer.observe(root);
}

function move(drawing) {
  const { svg } = drawing;
  drawing.observer = new ResizeObserver(() => {
    if (svg.clientWidth === 0 || drawing.begun) return;
    drawing.begun = true;
    begin(drawing);
  });
  drawing.observer.observe(svg);
  const point = (event) => new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
  svg.onpointerdown = (event) => {
    drawing.from = point(event);
    drawing.dragged = false;
  };
  svg.onpointermove = (event) => {
    if (!drawing.from || !(event.buttons & 1)) return;
    const now = point(event);
    const [dx, dy] = [now.x - drawing.from.x, now.y - drawing.from.y];
    if (!drawing.dragged && Math.hypot(dx, dy) < 6) return;
    drawing.dragged = true;
    svg.setPointerCapture(event.pointerId);
    look(drawing, { ...drawing.view, x: drawing.view.x - dx, y: drawing.view.y - dy });
  };
  svg.onpointerup = () => {
    drawing.from = null;
    setTimeout(() => { drawing.dragged = false; });
  };
  svg.onwheel = (event) => {
    if (!event.ctrlKey && !event.metaKey) return; // the page scrolls as everywhere else
    event.preventDefault();
    const { x, y } = point(event);
    zoom(drawing, Math.exp(event.deltaY / 300), [x, y]);
  };
}

// All of it if that can be read, else as large as can be read, around what is chosen.
function begin(drawing) {
  const { svg, all, data, scale: unit } = drawing;
  const shown = Math.min(svg.clientWidth / all.w, svg.clientHeight / all.h);
  if (shown * FONT >= LEGIBLE) return;
  const scale = LEGIBLE / FONT;
  const [w, h] = [svg.clientWidth / scale, svg.clientHeight / scale];
  const box = data.boxes.find((box) => box.id === data.chosen) ?? data.boxes[0];
  const inside = (wanted, low, length, room) => Math.min(Math.max(wanted, low), Math.max(low, low + length - room));
  look(drawing, {
    x: inside(box.x * unit.x - w / 2, all.x, all.w, w), y: inside(box.y * unit.y - h / 2, all.y, all.h, h), w, h,
  });
}

// A node that is reached with the keyboard, or chosen by other means, comes into view.
function reveal(drawing, box) {
  const { x, y, w, h } = drawing.view;
  const [bx, by] = [box.x * drawing.scale.x, box.y * drawing.scale.y];
  const [dx, dy] = [drawing.size.width / 2, drawing.size.height / 2];
  const seen = bx - dx > x && bx + dx < x + w && by - dy > y && by + dy < y + h;
  if (!seen && !drawing.from && !drawing.data.small) look(drawing, { x: bx - w / 2, y: by - h / 2, w, h });
}

// The whole graph as a file that looks the same without our style sheet.
function picture(drawing) {
  const { svg, all } = drawing;
  const copy = svg.cloneNode(true);
  const properties = [
    "fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-linejoin", "paint-order", "font-size",
    "font-family", "text-anchor", "dominant-baseline", "display",
  ];
  const originals = svg.querySelectorAll("*");
  copy.querySelectorAll("*").forEach((element, index) => {
    const style = getComputedStyle(originals[index]);
    element.setAttribute("style", properties.map((name) => `${name}:${style.getPropertyValue(name)}`).join(";"));
  });
  const background = document.createElementNS(SVG, "rect");
  const { x, y, w, h } = all;
  const colour = getComputedStyle(svg).backgroundColor;
  Object.entries({ x, y, width: w, height: h, fill: colour }).forEach((pair) => background.setAttribute(...pair));
  copy.prepend(background);
  Object.entries({ xmlns: SVG, viewBox: `${x} ${y} ${w} ${h}`, width: w, height: h }).forEach((pair) => copy.setAttribute(...pair));
  copy.removeAttribute("style");
  return new Blob([new XMLSerializer().serializeToString(copy)], { type: "image/svg+xml" });
}

function savePng(drawing) {
  const image = new Image();
  image.onload = () => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [drawing.all.w * 2, drawing.all.h * 2];
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((blob) => save(`${drawing.data.file}.png`, URL.createObjectURL(blob)));
    URL.revokeObjectURL(image.src);
  };
  image.src = URL.createObjectURL(picture(drawing));
}

function save(name, address) {
  const link = document.createElement("a");
  link.download = name;
  link.href = address;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
