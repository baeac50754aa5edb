// What is to be drawn comes from Streamlit, with the page. What a slider was moved for comes a moment before it as well,
// over a line of our own (`app/serving/line.py`), and is drawn without waiting for React.
const AGAIN_MS = 10_000; // before a line that was lost is asked for again
const reader = new TextDecoder();
const drawings = new Map(); // by their keys: where each is drawn, and how
let current = null; // the line there is: its name, and when it was lost

// Draw what Streamlit brings, unless that or something newer has come before. What is returned ends it.
export async function keepDrawn(root, data, draw) {
  const said = read(data);
  drawings.set(said.key, { root, draw });
  listen(said.line);
  await take(said);
  return () => {
    if (drawings.get(said.key)?.root === root) drawings.delete(said.key);
  };
}

// The first line of a message says for whom it is, the rest is what its drawing is told.
function read(data) {
  const message = reader.decode(data);
  const end = message.indexOf("\n");
  return { ...JSON.parse(message.slice(0, end)), text: message.slice(end + 1) };
}

function take({ key, line, number, text }) {
  const drawing = drawings.get(key);
  if (!drawing) return undefined; // not on this page, or not yet
  const { root } = drawing;
  if (root.line === line && number < root.number) return undefined;
  Object.assign(root, { line, number });
  return drawing.draw(text);
}

function listen(name) {
  if (current?.name === name && !(current.lost < performance.now() - AGAIN_MS)) return;
  current?.socket.close();
  const address = new URL(`../line/${name}`, import.meta.url).href.replace("http", "ws");
  const mine = current = { name, socket: new WebSocket(address), lost: undefined };
  mine.socket.binaryType = "arraybuffer";
  mine.socket.onclose = () => { mine.lost = performance.now(); };
  mine.socket.onmessage = async ({ data }) => {
    try {
      await take(read(data));
    } finally {
      await seen();
      if (mine.lost === undefined) mine.socket.send("drawn");
    }
  };
}

// Once the picture is on the screen; nobody waits for one that is hidden.
function seen() {
  if (document.hidden) return undefined;
  return new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
}
