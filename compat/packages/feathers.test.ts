import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Socket } from "socket.io-client";
import { freePort } from "../../test/support/hosts/free-port.ts";
import { next } from "../../test/support/waiting/events.ts";
import { application } from "./support/application.ts";
import { eventually } from "./support/cluster.ts";
import { connect, program, published } from "./support/published.ts";

/** The part of a Feathers client that the tests use. The application has its packages. */
interface Service {
  find(params?: object): Promise<Message[]>;
  get(id: number): Promise<Message>;
  create(data: object): Promise<Message>;
  remove(id: number): Promise<Message>;
  on(event: string, listener: (message: Message) => void): void;
}

interface Message {
  readonly id: number;
  readonly text: string;
  readonly from: string;
  readonly provider: string;
}

interface Peer {
  readonly socket: Socket;
  readonly messages: Service;
}

published("@feathersjs/socketio", (host) => {
  const server = program("feathers", host, async () => ({ port: await freePort() }));
  let makeClient: (socket: Socket) => Peer;
  before(async () => {
    const require = createRequire(join(await application(), "package.json"));
    const { feathers } = require("@feathersjs/feathers") as {
      feathers: () => { configure(plugin: unknown): { service(name: string): Service } };
    };
    const plugin = require("@feathersjs/socketio-client") as (socket: Socket) => unknown;
    makeClient = (socket) => ({
      socket,
      messages: feathers().configure(plugin(socket)).service("messages"),
    });
  });

  for (const transport of ["polling", "websocket"]) {
    describe(`over ${transport}`, () => {
      const open = async (name: string): Promise<Peer> => {
        const peer = makeClient(connect(server().url, { auth: { name }, transports: [transport] }));
        await next(peer.socket, "connect");
        return peer;
      };

      it("calls methods of a service, and returns their results", async () => {
        const { messages } = await open("ann");
        const { id, ...created } = await messages.create({ text: "hello" });
        assert.deepEqual(created, { text: "hello", from: "ann", provider: "socketio" });
        assert.deepEqual(await messages.get(id), { id, ...created });
        const found = await messages.find({ query: { from: "ann" } });
        assert.deepEqual(found.at(-1), { id, ...created });
      });

      it("rejects with the error of a service", async () => {
        const { messages } = await open("ann");
        await assert.rejects(messages.get(9999), { message: "no message 9999", code: 404 });
      });

      it("publishes events to channels", async () => {
        const [ann, bo] = await Promise.all([open("ann"), open("bo")]);
        const heard = [ann, bo].map(
          ({ messages }) => new Promise<Message>((resolve) => messages.on("created", resolve)),
        );
        const created = await ann.messages.create({ text: "for all" });
        for (const message of await Promise.all(heard)) assert.deepEqual(message, created);
        bo.messages.on("removed", () => assert.fail("bo must not get it"));
        const removed = new Promise<Message>((resolve) => ann.messages.on("removed", resolve));
        await bo.messages.remove(created.id);
        assert.deepEqual(await removed, created);
        await bo.messages.get(created.id);
      });

      it("removes a disconnected client from its channels", async () => {
        const { socket } = await open("ann");
        await eventually(connections, (count) => count > 0);
        socket.close();
        await eventually(connections, (count) => count === 0);
      });

      it("disconnects a client for the application", async () => {
        const { socket } = await open("cy");
        const gone = next(socket, "disconnect");
        await server().call("disconnect", "cy");
        assert.equal((await gone)[0], "io server disconnect");
      });
    });
  }

  function connections(): Promise<number> {
    return server().call("connections");
  }
});
