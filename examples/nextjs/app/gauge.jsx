"use client";

import { useEffect, useState } from "react";
import { socket } from "./socket.js";

export function Gauge() {
  const [level, setLevel] = useState();
  const [transport, setTransport] = useState("not connected");

  useEffect(() => {
    const { io } = socket;
    const opened = () => {
      setTransport(io.engine.transport.name);
      io.engine.on("upgrade", ({ name }) => setTransport(name));
    };
    const closed = () => setTransport("not connected");
    io.on("open", opened);
    socket.on("level", setLevel);
    socket.on("disconnect", closed);
    socket.connect();
    return () => {
      io.off("open", opened);
      socket.off("level", setLevel);
      socket.off("disconnect", closed);
      socket.disconnect();
    };
  }, []);

  const add = (step) => socket.emit("add", step, setLevel);

  return (
    <section className="panel">
      <p className="soft">
        Level, over <code>{transport}</code>
      </p>
      <output style={{ display: "block", fontSize: "4rem", lineHeight: 1.2 }}>{level ?? "–"}</output>
      <p style={{ display: "flex", gap: "0.5rem" }}>
        <button className="outlined" onClick={() => add(-1)}>
          Ebb
        </button>
        <button className="primary" onClick={() => add(1)}>
          Flow
        </button>
      </p>
    </section>
  );
}
