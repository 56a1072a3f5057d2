import { expectTypeOf } from "expect-type";
import type { DefaultEventsMap, DisconnectReason, Event, ExtendedError, Namespace } from "@tidewire/server";
import { Server } from "@tidewire/server";
import type { RemoteSocket, ServerOptions, Socket } from "@tidewire/server";

interface ClientToServer {
  say: (text: string) => void;
  ask: (question: string, answer: (value: number) => void) => void;
}
interface ServerToClient {
  news: (text: string, at: Date) => void;
  check: (answer: (ok: boolean) => void) => void;
  checkWithError: (answer: (err: Error, ok: boolean) => void) => void;
}
interface BetweenServers {
  ping: (answer: (pong: string) => void) => void;
  note: (text: string) => void;
}
interface Data {
  name: string;
}
type Typed = Server<ClientToServer, ServerToClient, BetweenServers, Data>;

/** Checked by the compiler; none of it is run. */
function checked(_use: () => void): void {}

describe("types", () => {
  it("without type parameters allow every event and any data", () => {
    checked(() => {
      const io = new Server();
      io.on("connection", (socket) => {
        expectTypeOf(socket).toEqualTypeOf<Socket<DefaultEventsMap, DefaultEventsMap, DefaultEventsMap>>();
        socket.on("anything", (a, b) => a.b.c(b));
        socket.emit("anything", 1, "2", () => {});
        socket.data.anything = 1;
        socket.onAny((event: string, ...args) => args.at(event.length));
        socket.on("disconnect", (reason) => expectTypeOf(reason).toEqualTypeOf<DisconnectReason>());
        socket.use((event, next) => {
          expectTypeOf(event).toEqualTypeOf<Event>();
          next(new Error("no"));
        });
      });
      io.timeout(5).emit("x", (err: Error, values: string[]) => values.at(0) ?? err);
    });
  });

  it("know the events that clients send", () => {
    checked(() => {
      const io: Typed = new Server();
      io.on("connection", (socket) => {
        socket.on("say", (text) => expectTypeOf(text).toBeString());
        socket.on("ask", (question, answer) => {
          expectTypeOf(question).toBeString();
          expectTypeOf(answer).parameters.toEqualTypeOf<[value: number]>();
        });
        // @ts-expect-error there is no such event
        socket.on("shout", () => {});
        expectTypeOf(socket.data).toEqualTypeOf<Data>();
      });
    });
  });

  it("know the events that are sent to clients", () => {
    checked(() => {
      const io: Typed = new Server();
      io.emit("news", "a", new Date());
      io.to("room").emit("news", "a", new Date());
      // @ts-expect-error an argument is missing
      io.emit("news", "a");
      // @ts-expect-error an event that asks for an answer needs one per receiver
      io.emit("check", (ok: boolean) => ok);
      io.on("connection", (socket) => {
        socket.emit("check", (ok) => expectTypeOf(ok).toBeBoolean());
        socket.timeout(5).emit("check", (err, ok) => {
          expectTypeOf(err).toEqualTypeOf<Error>();
          expectTypeOf(ok).toBeBoolean();
        });
        expectTypeOf(socket.emitWithAck("check")).resolves.toBeBoolean();
        expectTypeOf(socket.timeout(5).emitWithAck("check")).resolves.toBeBoolean();
        socket.broadcast.emit("news", "a", new Date());
      });
    });
  });

  it("give one answer per receiver of a broadcast", () => {
    checked(() => {
      const io: Typed = new Server();
      io.timeout(5).emit("check", (err, oks) => {
        expectTypeOf(err).toEqualTypeOf<Error>();
        expectTypeOf(oks).toEqualTypeOf<boolean[]>();
      });
      expectTypeOf(io.timeout(5).emitWithAck("check")).resolves.toEqualTypeOf<boolean[]>();
      expectTypeOf(io.emitWithAck("check")).resolves.toEqualTypeOf<boolean[]>();
      expectTypeOf(io.fetchSockets()).resolves.toEqualTypeOf<RemoteSocket<ServerToClient, Data>[]>();
    });
  });

  it("know the events of the cluster", () => {
    checked(() => {
      const io: Typed = new Server();
      io.serverSideEmit("note", "a");
      io.serverSideEmit("ping", (err, pongs) => {
        expectTypeOf(err).toEqualTypeOf<Error>();
        expectTypeOf(pongs).toEqualTypeOf<string[]>();
      });
      expectTypeOf(io.serverSideEmitWithAck("ping")).resolves.toEqualTypeOf<string[]>();
      io.on("note", (text) => expectTypeOf(text).toBeString());
    });
  });

  it("are kept by namespaces and middlewares", () => {
    checked(() => {
      const io: Typed = new Server();
      expectTypeOf(io.of("/a")).toEqualTypeOf<
        Namespace<ClientToServer, ServerToClient, BetweenServers, Data>
      >();
      io.use((socket, next) => {
        expectTypeOf(socket.data.name).toBeString();
        const error: ExtendedError = new Error("no");
        error.data = { a: 1 };
        next(error);
      });
      const options: Partial<ServerOptions> = { path: "/mine", cors: { origin: "*" }, pingTimeout: 5 };
      expectTypeOf(new Server(options)).toEqualTypeOf<Server>();
    });
  });
});
