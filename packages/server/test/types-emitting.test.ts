import { expectTypeOf } from "expect-type";
import { Server } from "@tidewire/server";
import type { RemoteSocket } from "@tidewire/server";
import { checked } from "./types-support.ts";
import type { Data, ServerToClient, TypedServer } from "./types-support.ts";

describe("types of events that are sent", () => {
  it("allow every event without type parameters", () => {
    checked(() => {
      const io = new Server();
      io.emit("x", 1);
      io.timeout(5).emit("x", (err: Error, values: string[]) => values.at(0) ?? err);
      void io
        .timeout(5)
        .emitWithAck("x")
        .then((values) => values.map((value: { a: 1 }) => value.a));
      io.serverSideEmit("x", 1, (err: Error, values: string[]) => values.at(0) ?? err);
      io.on("connection", (socket) => {
        socket.emit("x", 1, "2", (answer: string) => answer);
        socket.timeout(5).emit("x", (err: Error, answer: string) => [err, answer]);
        void socket.emitWithAck("x", 1).then((answer) => answer.field);
      });
    });
  });

  it("know the arguments to a single client", () => {
    checked(() => {
      const io: TypedServer = new Server();
      io.on("connection", (socket) => {
        socket.emit("hello");
        socket.emit("news", "a", new Date());
        socket.send("text").write("text");
        // @ts-expect-error there is no such event
        socket.emit("shout");
        // @ts-expect-error an argument is missing
        socket.emit("news", "a");
        // @ts-expect-error the first argument is a string
        socket.emit("news", 1, new Date());
        // @ts-expect-error a message is a string
        socket.send(1);
      });
    });
  });

  it("know the answer of a single client", () => {
    checked(() => {
      const io: TypedServer = new Server();
      io.on("connection", (socket) => {
        socket.emit("check", (ok) => expectTypeOf(ok).toBeBoolean());
        socket.emit("locate", 1, (...answer) =>
          expectTypeOf(answer).toEqualTypeOf<[place: string, floor: number]>(),
        );
        // @ts-expect-error the answer is a boolean
        socket.emit("check", (ok: string) => ok);
        expectTypeOf(socket.emitWithAck("check")).toEqualTypeOf<Promise<boolean>>();
        expectTypeOf(socket.emitWithAck("locate", 1)).toEqualTypeOf<Promise<string>>();
        expectTypeOf(socket.emitWithAck("checkWithError")).toEqualTypeOf<Promise<boolean>>();
        // @ts-expect-error nobody answers that
        void socket.emitWithAck("news", "a", new Date());
      });
    });
  });

  it("put an error before the answer where there is a time limit", () => {
    checked(() => {
      const io: TypedServer = new Server();
      io.on("connection", (socket) => {
        const limited = socket.timeout(5);
        limited.emit("check", (err, ok) => {
          expectTypeOf(err).toEqualTypeOf<Error>();
          expectTypeOf(ok).toBeBoolean();
        });
        limited.emit("ping", (err) => expectTypeOf(err).toEqualTypeOf<Error>());
        limited.emit("locate", 1, (err, place, floor) => {
          expectTypeOf(err).toEqualTypeOf<Error>();
          expectTypeOf([place, floor]).toEqualTypeOf<(string | number)[]>();
        });
        expectTypeOf(limited.emitWithAck("locate", 1)).toEqualTypeOf<Promise<string>>();
        expectTypeOf(limited.emitWithAck("checkWithError")).toEqualTypeOf<Promise<boolean>>();
      });
    });
  });

  it("know the arguments of a broadcast", () => {
    checked(() => {
      const io: TypedServer = new Server();
      const nsp = io.of("/x");
      io.emit("news", "a", new Date());
      nsp.emit("news", "a", new Date());
      io.send("text").write("text");
      nsp.send("text").write("text");
      // @ts-expect-error an argument is missing
      io.emit("news", "a");
      // @ts-expect-error an event that asks for an answer needs one per receiver
      io.emit("check", (ok: boolean) => ok);
      // @ts-expect-error an event that asks for an answer needs one per receiver
      nsp.emit("check", (ok: boolean) => ok);
      // @ts-expect-error there is no such event
      nsp.emit("shout");
      const operator = io.to("a").in(["b"]).except("c").volatile.local.compress(false);
      operator.emit("news", "a", new Date());
      // @ts-expect-error an argument is missing
      operator.emit("news", "a");
      io.on("connection", (socket) => {
        socket.broadcast.emit("news", "a", new Date());
        socket.to("a").except("b").emit("hello");
        expectTypeOf(socket.to("a")).toEqualTypeOf(io.to("a"));
        expectTypeOf(socket.local).toEqualTypeOf(io.of("/x").local);
      });
    });
  });

  it("give one answer per receiver of a broadcast", () => {
    checked(() => {
      const io: TypedServer = new Server();
      io.on("connection", (socket) => {
        for (const operator of [io.timeout(5), io.of("/x").to("a").timeout(5), socket.broadcast.timeout(5)]) {
          operator.emit("check", (err, oks) => {
            expectTypeOf(err).toEqualTypeOf<Error>();
            expectTypeOf(oks).toEqualTypeOf<boolean[]>();
          });
          operator.emit("locate", 1, (_err, places) => expectTypeOf(places).toEqualTypeOf<string[]>());
          operator.emit("checkWithError", (_err, oks) => expectTypeOf(oks).toEqualTypeOf<boolean[]>());
          operator.emit("ping", (err) => expectTypeOf(err).toEqualTypeOf<Error>());
          expectTypeOf(operator.emitWithAck("locate", 1)).toEqualTypeOf<Promise<string[]>>();
          expectTypeOf(operator.emitWithAck("checkWithError")).toEqualTypeOf<Promise<boolean[]>>();
          // @ts-expect-error nobody answers that
          void operator.emitWithAck("news", "a", new Date());
        }
      });
    });
  });

  it("are kept by the sockets of other servers", () => {
    checked(async () => {
      const io: TypedServer = new Server();
      expectTypeOf(io.fetchSockets()).resolves.toEqualTypeOf<RemoteSocket<ServerToClient, Data>[]>();
      for (const remote of await io.fetchSockets()) {
        expectTypeOf(remote.data).toEqualTypeOf<Data>();
        expectTypeOf(remote.rooms).toEqualTypeOf<Set<string>>();
        expectTypeOf(remote.handshake.auth["token"]).toBeAny();
        remote.emit("check", (ok) => expectTypeOf(ok).toBeBoolean());
        // @ts-expect-error there is no such event
        remote.emit("shout");
        const limited = remote.timeout(5);
        limited.emit("check", (err, ok) => {
          expectTypeOf(err).toEqualTypeOf<Error>();
          expectTypeOf(ok).toBeBoolean();
        });
        expectTypeOf(limited.emitWithAck("check")).toEqualTypeOf<Promise<boolean>>();
        remote.join(["a", "b"]);
        remote.leave("a");
        remote.disconnect(true);
      }
    });
  });

  it("know what can be done to all sockets", () => {
    checked(() => {
      const io: TypedServer = new Server();
      const every = [io, io.of("/x"), io.to("a")];
      for (const emitter of every) {
        emitter.socketsJoin(["a", "b"]);
        emitter.socketsLeave("a");
        emitter.disconnectSockets(true);
        expectTypeOf(emitter.allSockets()).toEqualTypeOf<Promise<Set<string>>>();
      }
    });
  });

  it("know the events between servers", () => {
    checked(() => {
      const io: TypedServer = new Server();
      for (const emitter of [io, io.of("/x")]) {
        emitter.serverSideEmit("note", "a");
        emitter.serverSideEmit("ping", (err, pongs) => {
          expectTypeOf(err).toEqualTypeOf<Error>();
          expectTypeOf(pongs).toEqualTypeOf<string[]>();
        });
        emitter.serverSideEmit("pingWithError", 1, (_err, pongs) =>
          expectTypeOf(pongs).toEqualTypeOf<string[]>(),
        );
        // @ts-expect-error there is no such event
        emitter.serverSideEmit("shout");
        // @ts-expect-error the argument is a string
        emitter.serverSideEmit("note", 1);
        expectTypeOf(emitter.serverSideEmitWithAck("ping")).toEqualTypeOf<Promise<string[]>>();
        expectTypeOf(emitter.serverSideEmitWithAck("pingWithError", 1)).toEqualTypeOf<Promise<string[]>>();
        // @ts-expect-error nobody answers that
        void emitter.serverSideEmitWithAck("note", "a");
      }
      io.on("note", (text) => expectTypeOf(text).toBeString());
      io.of("/x").on("ping", (answer) => {
        expectTypeOf(answer).parameters.toEqualTypeOf<[pong: string]>();
      });
    });
  });
});
