import assert from "node:assert/strict";
import { connected } from "../../test/support/server/clients.ts";
import { next } from "../../test/support/waiting/events.ts";
import { eventually } from "./support/cluster.ts";
import { connect, program, published } from "./support/published.ts";

interface Metric {
  readonly name: string;
  readonly values: readonly { readonly value: number; readonly labels: { readonly event?: string } }[];
}

published("socket.io-prometheus", (host) => {
  const server = program("middlewares", host);

  it("counts sockets, events and their bytes", async () => {
    const client = connect(server().url);
    await connected(client);
    const world = next(client, "world");
    client.emit("hello", "ü!");
    assert.deepEqual(await world, ["ü!"]);
    const counted = await metrics();
    assert.deepEqual(counted, {
      socket_io_connected: 1,
      socket_io_connect_total: 1,
      socket_io_disconnect_total: 0,
      "socket_io_events_received_total hello": 1,
      "socket_io_events_sent_total world": 1,
      "socket_io_recieve_bytes hello": 3,
      "socket_io_transmit_bytes world": 3,
    });
  });

  it("counts disconnects", async () => {
    const client = connect(server().url);
    await connected(client);
    const { socket_io_disconnect_total: before = 0 } = await metrics();
    client.close();
    await eventually(metrics, (now) => now["socket_io_disconnect_total"] === before + 1);
  });

  async function metrics(): Promise<Record<string, number>> {
    const all = await server().call<Metric[]>("metrics");
    const values = all.flatMap(({ name, values: some }) =>
      some.map(({ labels, value }) => [labels.event === undefined ? name : `${name} ${labels.event}`, value]),
    );
    return Object.fromEntries(values) as Record<string, number>;
  }
});
