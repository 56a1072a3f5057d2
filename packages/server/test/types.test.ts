import { expectTypeOf } from "expect-type";
import type { DisconnectReason, Event, ExtendedError, Namespace } from "@tidewire/server";
import { Server } from "@tidewire/server";
import type { IncomingMessage } from "node:http";
import { checked } from "./types-support.ts";
import type {
  BetweenServers,
  ClientToServer,
  Data,
  ServerToClient,
  TypedServer,
  TypedSocket,
} from "./types-support.ts";

describe("types of listeners", () => {
  it("allow every event and any data without type parameters", () => {
    checked(() => {
      const io = new Server();
      io.on("connection", (socket) => {
        socket.on("anything", (a, b) => a.b.c(b));
        socket.on("asked", (value, answer) => answer(value.field));
        socket.data.anything = 1;
        expectTypeOf(socket.data).toBeAny();
      });
      io.on("from another server", (a, b) => a.b.c(b));
    });
  });

  it("know the events that clients send", () => {
    checked(() => {
      const io: TypedServer = new Server();
      io.on("connection", (socket) => {
        expectTypeOf(socket).toEqualTypeOf<TypedSocket>();
        socket.on("hello", () => {});
        socket.on("say", (text) => expectTypeOf(text).toBeString());
        socket.once("ask", (question, answer) => {
          expectTypeOf(question).toBeString();
          expectTypeOf(answer).parameters.toEqualTypeOf<[value: number]>();
        });
        // @ts-expect-error there is no such event
        socket.on("shout", () => {});
        // @ts-expect-error the argument is a string
        socket.on("say", (text: number) => text);
        socket.off("say", () => {});
        socket.removeAllListeners("say").removeAllListeners();
      });
      // @ts-expect-error there is no such event
      io.on("shout", () => {});
    });
  });

  it("know the events of the socket itself", () => {
    checked(() => {
      new Server().on("connection", (socket) => {
        socket.on("disconnect", (reason, description) => {
          expectTypeOf(reason).toEqualTypeOf<DisconnectReason>();
          expectTypeOf(description).toBeAny();
        });
        socket.on("disconnecting", (reason) => expectTypeOf(reason).toEqualTypeOf<DisconnectReason>());
        socket.on("error", (error) => expectTypeOf(error).toEqualTypeOf<Error>());
      });
    });
  });

  it("know the events of the server and its namespaces", () => {
    checked(() => {
      const io: TypedServer = new Server();
      io.once("connect", (socket) => expectTypeOf(socket).toEqualTypeOf<TypedSocket>());
      io.on("new_namespace", (nsp) => {
        expectTypeOf(nsp).toEqualTypeOf<Namespace<ClientToServer, ServerToClient, BetweenServers, Data>>();
      });
      io.of("/x").on("connection", (socket) => expectTypeOf(socket).toEqualTypeOf<TypedSocket>());
      io.of(/x/, (socket) => expectTypeOf(socket).toEqualTypeOf<TypedSocket>());
      io.of((name, auth, next) => {
        expectTypeOf(name).toBeString();
        expectTypeOf(auth["token"]).toBeAny();
        next(null, true);
        next(new Error("no"), false);
      });
    });
  });

  it("take async listeners", () => {
    checked(() => {
      const io: TypedServer = new Server();
      io.on("connection", async (socket) => {
        await socket.join("room");
        socket.on("say", async (text) => void (await Promise.resolve(text)));
      });
    });
  });

  it("let middlewares refuse, with data", () => {
    checked(() => {
      const io: TypedServer = new Server();
      for (const nsp of [io, io.of("/x")]) {
        nsp.use((socket, next) => {
          expectTypeOf(socket).toEqualTypeOf<TypedSocket>();
          const error: ExtendedError = new Error("no");
          error.data = { a: 1 };
          next(error);
          next(new Error("no"));
          next();
        });
      }
      io.on("connection", (socket) => {
        socket.use(([event, ...args], next) => {
          expectTypeOf(event).toBeString();
          next(args.length > 0 ? undefined : new Error("no"));
        });
        socket.use((event, next) => {
          expectTypeOf(event).toEqualTypeOf<Event>();
          next();
        });
      });
    });
  });

  it("give catch-all listeners the name, and any arguments", () => {
    checked(() => {
      new Server().on("connection", (socket) => {
        const listener = (event: string, ...args: unknown[]): unknown => args.at(event.length);
        socket.onAny(listener).prependAny(listener).offAny(listener).offAny();
        socket.onAnyOutgoing(listener).prependAnyOutgoing(listener).offAnyOutgoing(listener).offAnyOutgoing();
        expectTypeOf([...socket.listenersAny(), ...socket.listenersAnyOutgoing()]).toExtend<Function[]>();
      });
    });
  });
});

describe("types of a socket", () => {
  it("are those of its members", () => {
    checked(() => {
      const io: TypedServer = new Server();
      io.on("connection", (socket) => {
        expectTypeOf(socket.id).toBeString();
        expectTypeOf(socket.data).toEqualTypeOf<Data>();
        // @ts-expect-error the name is a string
        socket.data.name = 1;
        expectTypeOf(socket.rooms).toEqualTypeOf<Set<string>>();
        expectTypeOf([socket.connected, socket.disconnected, socket.recovered]).toEqualTypeOf<boolean[]>();
        expectTypeOf(socket.request).toEqualTypeOf<IncomingMessage>();
        expectTypeOf(socket.join(["a", "b"])).toEqualTypeOf<Promise<void> | void>();
        expectTypeOf(socket.leave("a")).toEqualTypeOf<Promise<void> | void>();
        expectTypeOf(socket.disconnect(true)).toEqualTypeOf<TypedSocket>();
        expectTypeOf(socket.volatile.compress(false)).toEqualTypeOf<TypedSocket>();
        socket.nsp.server.of("/").adapter.rooms.get("a")?.has(socket.id);
        socket.nsp.sockets.get("id")?.disconnect();
        socket.client.conn.close();
      });
    });
  });

  it("are those of its handshake", () => {
    checked(() => {
      new Server().on("connection", ({ handshake }) => {
        expectTypeOf([handshake.time, handshake.address, handshake.url]).toEqualTypeOf<string[]>();
        expectTypeOf([handshake.xdomain, handshake.secure]).toEqualTypeOf<boolean[]>();
        expectTypeOf(handshake.issued).toBeNumber();
        expectTypeOf(handshake.headers.authorization).toEqualTypeOf<string | undefined>();
        expectTypeOf(handshake.query["token"]).toEqualTypeOf<string | string[] | undefined>();
        expectTypeOf(handshake.auth["token"]).toBeAny();
        handshake.auth["user"] = { id: 1 };
        handshake.url = "/mine";
      });
    });
  });

  it("are those of its connection, an emitter with a transport", () => {
    checked(() => {
      new Server().on("connection", ({ conn }) => {
        conn.on("upgrade", (transport) => transport.name).once("drain", () => {});
        conn.on("packet", ({ type, data }) => [type, data]);
        conn.on("packetCreate", ({ type, data }) => [type, data]);
        conn.on("close", (reason, description) => [reason, description]);
        conn.off("close", () => {}).removeAllListeners("close");
        conn.emit("mine", 1);
        conn.transport.on("drain", () => {});
        expectTypeOf([conn.transport.name, conn.remoteAddress]).toEqualTypeOf<string[]>();
        expectTypeOf(conn.transport.writable).toBeBoolean();
        expectTypeOf(conn.readyState).toExtend<string>();
        expectTypeOf(conn.protocol).toBeNumber();
        expectTypeOf(conn.request).toEqualTypeOf<IncomingMessage>();
        conn.send("text", { compress: true }, () => {});
        conn.write("text");
        conn.close(true);
      });
    });
  });
});
