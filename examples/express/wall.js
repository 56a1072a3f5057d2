// The routes and the events of the wall. They need an application with the API of Express, and a Socket.IO server.

const KEPT = 50;
const LONGEST = 200;

export function wall(app, io) {
  const notes = [];

  app.get("/notes", (_request, response) => {
    response.json(notes);
  });

  app.post("/notes", (request, response) => {
    const text = request.body?.text;
    if (typeof text !== "string" || text.trim() === "" || text.length > LONGEST) {
      return response.status(400).json({ error: `A note has 1 to ${LONGEST} characters.` });
    }
    const note = { text: text.trim(), at: Date.now() };
    notes.push(note);
    if (notes.length > KEPT) notes.shift();
    io.emit("note", note);
    response.status(201).json(note);
  });

  io.on("connection", (socket) => {
    socket.emit("notes", notes);
    io.emit("readers", io.sockets.sockets.size);
    socket.on("disconnect", () => io.emit("readers", io.sockets.sockets.size));
  });
}
