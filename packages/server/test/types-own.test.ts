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

  it("take a port as text, and a host", () => {
    checked(() => {
      new Server("3000", { host: "node", maxBackpressure: 0, proxyProtocol: true, secure: true });
      new Server({ connectionStateRecovery: { maxLogBytes: 1 } });
    });
  });
});
