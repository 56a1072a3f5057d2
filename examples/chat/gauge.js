// The gauge: a reading ten times a second, for the slow reader of a page. A namespace of its own.

const EVERY = 100;
const SOCKET_ID = /^[\w-]{20}$/;

export function gauge(io) {
  io.of("/gauge").on("connection", (socket) => {
    /** The socket of the page in the chat, which is told how much waits for this one. */
    const { page } = socket.handshake.auth;
    if (typeof page !== "string" || !SOCKET_ID.test(page)) return socket.disconnect();

    let conflates = true;
    socket.on("conflate", (on) => (conflates = on === true));

    let number = 0;
    const timer = setInterval(() => {
      const reading = { number: ++number, levels: levels(Date.now()) };
      // Of the readings with this key that wait for a client, only the newest is sent.
      if (conflates) socket.conflate("reading").emit("reading", reading);
      else socket.emit("reading", reading);
      io.to(page).volatile.emit("gauge", { number, waiting: socket.bufferedAmount });
    }, EVERY);
    socket.on("disconnect", () => clearInterval(timer));
  });
}

/** The last minute of the tide, up to now: about 4 kB of JSON. */
function levels(now) {
  return Array.from({ length: 600 }, (_, index) => {
    const seconds = now / 1000 - (600 - index) / 10;
    const level = 100 * Math.sin(seconds / 4.7) + 38 * Math.sin(seconds / 1.3) + 12 * Math.sin(seconds * 2.9);
    return Math.round(level);
  });
}
