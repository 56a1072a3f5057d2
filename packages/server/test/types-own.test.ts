import { expectTypeOf } from "expect-type";
import { Server } from "@tidewire/server";
import { checked } from "./types-support.ts";
import type { TypedServer, TypedSocket } from "./types-support.ts";

describe("types of what the official server has not", () => {
  it("give one answer per receiver to emitWithAck() of a server and a namespace", () => {
    checked(() => {
      const io: TypedServer = new Server();
      for (const emitter of [io, io.of("/x")]) {
        expectTypeOf(emitter.emitWithAck("check")).toEqualTypeOf<Promise<boolean[]>>();
        expectTypeOf(emitter.emitWithAck("locate", 1)).toEqualTypeOf<Promise<string[]>>();
        // @ts-expect-error nobody answers that
        void emitter.emitWithAck("news", "a", new Date());
      }
    });
  });

  it("give handlers of errors the socket", () => {
    checked(() => {
      const io: TypedServer = new Server();
      io.onError((error, { source, event, socket }) => {
        expectTypeOf(error).toBeUnknown();
        expectTypeOf(source).toExtend<string>();
        expectTypeOf(event).toEqualTypeOf<string | undefined>();
        expectTypeOf(socket).toEqualTypeOf<TypedSocket | undefined>();
      });
    });
  });

  it("give the functions of credentials the socket", () => {
    checked(() => {
      const io: TypedServer = new Server();
      io.on("connection", (socket) => {
        const same = socket.expiresAt(new Date(), {
          warn: 1000,
          async refresh(given) {
            expectTypeOf(given).toEqualTypeOf<typeof socket>();
            return Date.now();
          },
        });
        expectTypeOf(same).toEqualTypeOf<typeof socket>();
        socket.expiresAt(Infinity, { refresh: async () => {} });
        socket.expiresAt(0, { refresh: () => new Date() });
        // @ts-expect-error not a date
        socket.expiresAt("2030-01-01");
        // @ts-expect-error not a date either
        socket.expiresAt(0, { refresh: async () => "2030-01-01" });
        expectTypeOf(socket.revalidate({ token: "t" })).toEqualTypeOf<Promise<boolean>>();
      });
      expectTypeOf(io.in("room").revalidateSockets()).toBeVoid();
      expectTypeOf(io.of("/x").revalidateSockets()).toBeVoid();
    });
  });

  it("take a port as text, and a host", () => {
    checked(() => {
      new Server("3000", { host: "node", maxBackpressure: 0, proxyProtocol: true, secure: true });
      new Server({ connectionStateRecovery: { maxLogBytes: 1 } });
    });
  });
});
