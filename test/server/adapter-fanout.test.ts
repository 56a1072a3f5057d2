// A broadcast that comes through an adapter made by others takes the road of our own: encoded once, one packet for all
// receivers, one flush per connection.
import assert from "node:assert/strict";
import { Adapter } from "socket.io-adapter";
import { owning } from "../support/waiting/closing.ts";
import { HeartbeatCluster } from "../support/cluster/heartbeat-adapter.ts";
import { officialParser, watched } from "../support/server/parsers.ts";
import { next } from "../support/waiting/events.ts";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { serverHostsAndApp } from "../support/server/hosts.ts";
import { pair, settled } from "../support/server/clients.ts";
import type { Pair } from "../support/server/clients.ts";
import type { ServerHost } from "../support/server/hosts.ts";
import type { StartedServer } from "../support/server/started-server.ts";

/** Of one connection: the packets made for it, and how many of them each flush took. */
interface Traffic {
  readonly packets: object[];
  readonly flushes: number[];
}

function trafficOf({ socket }: Pair): Traffic {
  const traffic: Traffic = { packets: [], flushes: [] };
  socket.conn.on("packetCreate", (packet: object) => traffic.packets.push(packet));
  socket.conn.on("flush", (buffer: unknown[]) => traffic.flushes.push(buffer.length));
  return traffic;
}

interface Senders extends AsyncDisposable {
  /** where the receivers are */
  readonly receiving: StartedServer;
  /** where the broadcast begins */
  readonly sending: StartedServer;
}

type Start = (host: ServerHost, options: object) => Promise<Senders>;

const adapters: Readonly<Record<string, Start>> = {
  "super.broadcast()": async (host, options) => {
    class Foreign extends Adapter {
      override broadcast(...args: Parameters<Adapter["broadcast"]>): void {
        super.broadcast(...args);
      }
    }
    const running = await host.start({ ...options, adapter: Foreign });
    return owning({ receiving: running, sending: running }, running);
  },
  "a cluster": async (host, options) => {
    const adapter = new HeartbeatCluster(600_000).adapter as never;
    const receiving = await host.start({ ...options, adapter });
    const sending = await host.start({ adapter });
    return owning({ receiving, sending }, receiving, sending);
  },
};

for (const [name, start] of Object.entries(adapters)) {
  onEveryHost(`two broadcasts of one tick by ${name}`, serverHostsAndApp, (host) => {
    it("are encoded once each, are the same packets for all, and leave in one flush", async () => {
      const { parser, encoded } = watched(officialParser);
      await using senders = await start(host, { parser });
      const { receiving, sending } = senders;
      const pairs: Pair[] = [];
      for (let index = 0; index < 3; index++) {
        const made = await pair(receiving, { transports: ["websocket"] });
        await settled(made.client, made.socket);
        pairs.push(made);
      }
      const traffic = pairs.map(trafficOf);
      encoded.length = 0;
      const heard = pairs.map(({ client }) => next(client, "b"));
      sending.io.emit("a", "é", 1);
      sending.io.emit("b", Buffer.from([1]));
      await Promise.all(heard);
      assert.deepEqual(
        encoded.map(({ data }) => (data as unknown[])[0]),
        ["a", "b"],
      );
      // A text; a text with an attachment.
      assert.deepEqual(
        traffic.map(({ flushes }) => flushes),
        [[3], [3], [3]],
      );
      assert.equal(new Set(traffic.flatMap(({ packets }) => packets)).size, 3);
    });
  });
}
