// A harbour with six berths. PORT sets the port (3000).
import { Server } from "@tidewire/server";
import { contract } from "./contract.ts";

const port = Number(process.env["PORT"] || 3000);
const berths = new Map<number, string>();

const io = new Server(port, { contract });

io.on("connection", (socket) => {
  socket.data.berths = [];

  // `name` is a string of 1 to 40 characters here: what does not match the contract reaches no listener.
  socket.on("boat:arrive", ({ name, length }, answer) => {
    const berth = [1, 2, 3, 4, 5, 6].find((each) => !berths.has(each) && (length < 20 || each > 4)) ?? 0;
    if (berth > 0) {
      berths.set(berth, name);
      socket.data.berths.push(berth);
      io.emit("berth:taken", { berth, name });
    }
    answer({ berth });
  });

  const leave = (berth: number): void => {
    if (berths.delete(berth)) io.emit("berth:free", { berth });
  };
  socket.on("boat:leave", ({ berth }) => {
    if (socket.data.berths.includes(berth)) leave(berth);
  });
  socket.on("disconnect", () => socket.data.berths.forEach(leave));
});

io.on("invalid_event", ({ event, issues }) => console.log(`${event}: ${issues[0]?.message}`));
console.log(`The harbour is at http://localhost:${port}`);
