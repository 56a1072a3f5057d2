import { Adapter, SessionAwareAdapter } from "socket.io-adapter";
import * as msgpackParser from "socket.io-msgpack-parser";
import * as officialParser from "socket.io-parser";
import { Server } from "@tidewire/server";
import { checked } from "./types-support.ts";

/** What is declared by a published package, in its way. */
declare function createAdapter(options: object): (nsp: unknown) => Adapter;

describe("types of what published packages give", () => {
  it("are those of the options parser and adapter", () => {
    checked(() => {
      new Server({ parser: msgpackParser });
      new Server({ parser: officialParser });
      class Mine extends Adapter {
        override delAll(id: string): void {
          super.delAll(id);
        }
      }
      new Server({ adapter: Mine });
      new Server({ adapter: SessionAwareAdapter });
      new Server({ adapter: (nsp) => new Mine(nsp) });
      new Server({ adapter: createAdapter({}) });
      new Server().adapter(createAdapter({}));
    });
  });
});
