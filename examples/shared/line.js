// Shows in an element how a client is connected: `polling → websocket`, dotted on long-polling and solid on a WebSocket.

/** Keeps `line` up to date. `socket` is a socket of the official client. */
export function showLine(socket, line) {
  const manager = socket.io;
  const words = document.createElement("span");
  const span = document.createElement("i");
  const trail = document.createElement("code");
  line.classList.add("line");
  line.replaceChildren(words, span, trail);
  let names = [];

  const draw = () => {
    line.dataset.state = socket.connected ? "connected" : socket.active ? "connecting" : "idle";
    line.dataset.transport = names.at(-1) ?? "none";
    words.textContent = { connected: "Connected", connecting: "Connecting", idle: "Not connected" }[
      line.dataset.state
    ];
    trail.textContent = names.join(" → ");
  };
  const opened = () => {
    names = [manager.engine.transport.name];
    manager.engine.on("upgrade", (transport) => {
      names.push(transport.name);
      draw();
    });
    draw();
  };

  manager.on("open", opened);
  socket.on("connect", draw);
  socket.on("disconnect", () => {
    names = [];
    draw();
  });
  if (manager.engine?.readyState === "open") opened();
  else draw();
}
