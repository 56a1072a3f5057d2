// Beside the program of the page: clients on a port of its own.
export async function register() {
  if (process.env.NEXT_RUNTIME !== "nodejs") return;
  const { Server } = await import("@tidewire/server");
  const io = new Server(Number(process.env.SOCKET_PORT), { host: "uws", cors: { origin: "*" } });
  io.on("connection", (socket) => {
    socket.on("hello", (answer) => answer("hello over Socket.IO"));
  });
}
