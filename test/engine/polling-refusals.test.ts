import assert from "node:assert/strict";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { engineHosts } from "../support/engine/hosts.ts";
import { HalfPost } from "../support/wire/network-client.ts";
import { within } from "../support/waiting/queue.ts";
import { PollingPeer } from "../support/engine/peers.ts";

onEveryHost("engine: long-polling requests that are out of order", engineHosts, (host) => {
  host.it("answers a second poll with 400, ends the first, and closes the session", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const { answer } = await peer.park();
    const second = await peer.get();
    assert.equal(second.status, 400);
    assert.equal(second.body, "");
    const first = await answer;
    assert.equal(first.status, 200);
    assert.equal(first.body, "1");
    const { reason, description } = await server.closed(peer.session);
    assert.equal(reason, "transport error");
    assert.equal((description as Error).message, "overlap from client");
  });

  host.it("answers a second POST with 400 and closes the session", { needs: "tcp" }, async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const halves = [new HalfPost(server.port, peer.path), new HalfPost(server.port, peer.path)];
    const answer = await within(Promise.race(halves.map((half) => half.answer)), "one POST to be refused");
    assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/);
    const { reason, description } = await server.closed(peer.session);
    assert.equal(reason, "transport error");
    assert.equal((description as Error).message, "data request overlap from client");
    halves.forEach((half) => half.abort());
  });

  for (const method of ["PUT", "DELETE", "PATCH"]) {
    host.it(`answers ${method} with 500 and leaves the session alone`, async () => {
      await using server = await host.start();
      const peer = await PollingPeer.open(server);
      const response = await server.client.request(method, peer.path);
      assert.equal(response.status, 500);
      assert.equal(response.body, "");
      peer.session.send("still here");
      assert.equal(await peer.poll(), "4still here");
    });
  }

  host.it("refuses a body of application/octet-stream with 400 and closes the session", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const headers = { "content-type": "application/octet-stream" };
    const response = await peer.post(Buffer.from([4, 1]), { headers });
    assert.equal(response.status, 400);
    assert.equal(response.body, "");
    const { reason, description } = await server.closed(peer.session);
    assert.equal(reason, "transport error");
    assert.equal((description as Error).message, "invalid content");
  });

  for (const [what, body] of [
    ["an unknown packet type", "9"],
    ["an empty body", ""],
    ["an empty packet", "4a\x1e"],
  ] as const) {
    host.it(`answers ${what} with ok and closes the session for a parse error`, async () => {
      await using server = await host.start();
      const peer = await PollingPeer.open(server);
      await peer.send(body);
      assert.equal((await server.closed(peer.session)).reason, "parse error");
      const response = await peer.get();
      assert.equal(response.status, 400);
      assert.equal(response.body, '{"code":1,"message":"Session ID unknown"}');
    });
  }

  host.it("delivers what came before a bad packet of the same body, and nothing after it", async () => {
    await using server = await host.start();
    const peer = await PollingPeer.open(server);
    const messages: string[] = [];
    peer.session.on("message", (data: string) => messages.push(data));
    await peer.send("4a\x1e9\x1e4b");
    assert.equal((await server.closed(peer.session)).reason, "parse error");
    assert.deepEqual(messages, ["a"]);
  });
});
