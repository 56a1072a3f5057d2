// The application behind the demo: a tide gauge that measures all the time, and a place to talk.
import type { Server } from "@tidewire/server";
import { INTERVAL, LONGEST, SHOWN } from "./demo-events.ts";
import type { ClientEvents, Level, ServerEvents } from "./demo-events.ts";

/** Starts the gauge, and serves the clients. Returns a function that stops the gauge. */
export function demo(io: Server<ClientEvents, ServerEvents>): () => void {
  const levels: Level[] = [];
  let count = 0;

  function measure(): void {
    const level = { at: count, height: heightAt(count) };
    count++;
    levels.push(level);
    if (levels.length > SHOWN) levels.shift();
    io.emit("level", level);
  }

  io.on("connection", (socket) => {
    // A client that has come back has got what it missed.
    socket.emit("welcome", count - 1, socket.recovered ? [] : levels);
    socket.on("pulse", (done: unknown) => {
      if (typeof done === "function") done();
    });
    socket.on("say", (text: unknown, done: unknown) => {
      const isFine = typeof text === "string" && text.trim() !== "" && text.length <= LONGEST;
      if (isFine) io.emit("said", { text: text.trim(), from: socket.id.slice(0, 4) });
      if (typeof done === "function") done(isFine);
    });
    // As a broken network would: the client is not told that it was meant to leave.
    socket.on("cut", () => socket.conn.close(true));
  });

  while (levels.length < SHOWN) measure();
  const timer = setInterval(measure, INTERVAL);
  return () => clearInterval(timer);
}

function heightAt(at: number): number {
  const height = 2 + 1.1 * Math.sin(at / 14) + 0.25 * Math.sin(at / 3.1) + 0.08 * Math.sin(at * 1.7);
  return Math.round(height * 100) / 100;
}
