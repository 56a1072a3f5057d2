// Logs in, stays connected beyond the life of its tokens, and says so. URL is the address of the server.
import { io } from "socket.io-client";

const url = process.env.URL || "http://localhost:3000";

let token;
token = await post("/login", { user: "ada", password: "lovelace" });
// A function, so that a reconnection uses the newest token.
const socket = io(url, { auth: (give) => give({ token }) });

socket.on("connect", async () => console.log(`connected as ${await socket.emitWithAck("who am i")}`));
socket.on("connect_error", (error) => console.log(`refused: ${error.message}`));

socket.on("auth:refresh", async (answer) => {
  token = await post("/refresh");
  answer(token);
  console.log("refreshed");
});

// If nothing refreshes the token, for example because this laptop was asleep.
socket.on("auth:ended", ({ code }) => console.log(`ended: ${code}`));
socket.on("disconnect", async (reason) => {
  if (reason !== "io server disconnect") return;
  token = await post("/login", { user: "ada", password: "lovelace" });
  socket.connect();
});

async function post(path, body) {
  const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
  const response = await fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return (await response.json()).token;
}
