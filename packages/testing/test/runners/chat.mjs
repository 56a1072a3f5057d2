export function chat(io) {
  io.on("connection", (socket) => {
    socket.on("message", (text) => socket.broadcast.emit("message", text));
  });
}
