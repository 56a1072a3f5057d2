"use strict";

/** An application: it repeats what a client says, and tells everyone the time once a second. */
exports.application = (io) => {
  const start = Date.now();
  io.on("connection", (socket) => {
    socket.on("echo", (text, answer) => answer(text));
    setInterval(() => socket.emit("tick", Date.now() - start), 1000).unref?.();
  });
};
