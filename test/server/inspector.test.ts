// The page of `io.inspect()`, without a browser: who may open it, what it gets, and what it may do.
import assert from "node:assert/strict";
import { channel, tracingChannel } from "node:diagnostics_channel";
import { createServer, request } from "node:http";
import { networkInterfaces } from "node:os";
import { Server } from "@tidewire/server";
import { testServer } from "@tidewire/testing";
import express from "express";
import { onEveryHost } from "../support/hosts/on-every-host.ts";
import { until } from "../support/engine/peers.ts";
import { connectPage, inspect, own, watch } from "../support/inspector/watching.ts";
import type { Watching } from "../support/inspector/watching.ts";
import { connected, onEveryTransport, pair, settled } from "../support/server/clients.ts";
import { serverHosts, serverHostsAndApp } from "../support/server/hosts.ts";
import { serve } from "../support/server/serve.ts";
import type { Server as OfficialServer } from "../support/server/socketio.ts";
import { closing } from "../support/waiting/closing.ts";
import { next } from "../support/waiting/events.ts";
import { NetworkClient } from "../support/wire/network-client.ts";

const auth = { username: "ops", password: "tides and wires" };
const basic = `Basic ${Buffer.from("ops:tides and wires").toString("base64")}`;

interface Entry {
  readonly kind: string;
  readonly name: string;
  readonly nsp: string;
  readonly args?: readonly string[];
  readonly rooms?: readonly string[];
  readonly detail?: string;
  readonly sid?: string;
}

interface Batch {
  readonly entries: readonly Entry[];
  readonly skipped: number;
}

interface List {
  readonly matching: number;
  readonly total: number;
  readonly order: readonly string[];
  readonly rows: readonly {
    readonly sid: string;
    readonly transport: string;
    readonly rooms: readonly string[];
    readonly rtt?: number;
  }[];
}

interface Overview {
  readonly sockets: number;
  readonly events: { readonly in: number; readonly out: number };
  readonly namespaces: readonly { readonly name: string; readonly sockets: number }[];
  readonly disconnects: readonly { readonly reason: string; readonly count: number }[];
}

interface Client {
  readonly details?: {
    readonly transport: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly sockets: readonly {
      readonly nsp: string;
      readonly data: string;
      readonly rooms: readonly string[];
    }[];
  };
  readonly entries: readonly {
    readonly kind: string;
    readonly name: string;
    readonly text?: string;
    readonly rtt?: number;
  }[];
}

const EVERYTHING = ["in", "out", "broadcast", "connect", "disconnect", "refused", "limit", "action"];

/** The status of a request by name, with headers that `fetch` does not send. */
function statusOf(
  port: number,
  path: string,
  headers: Record<string, string>,
  host = "127.0.0.1",
): Promise<number> {
  return new Promise((resolve, reject) => {
    const req = request({ port, path, headers, host, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    req.on("error", reject);
    req.end();
  });
}

/** Whether anybody listens to what the server publishes. */
function areHeard(): boolean {
  return (
    tracingChannel("tidewire:event").hasSubscribers ||
    tracingChannel("tidewire:broadcast").hasSubscribers ||
    tracingChannel("tidewire:connect").hasSubscribers ||
    channel("tidewire:emit").hasSubscribers ||
    channel("tidewire:disconnect").hasSubscribers
  );
}

onEveryHost("the page of io.inspect()", serverHostsAndApp, (host) => {
  it("is served with its files and the client, and with a strict policy", async () => {
    await using running = await host.start();
    await inspect(running);
    const url = `${running.url}/_tidewire/`;
    const response = await fetch(url);
    assert.equal(response.status, 200);
    const html = await response.text();
    const policy = response.headers.get("content-security-policy") ?? "";
    assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/);
    assert.doesNotMatch(policy, /unsafe|https?:/);
    assert.equal(response.headers.get("x-content-type-options"), "nosniff");
    // Nothing inline, and nothing from elsewhere.
    assert.doesNotMatch(html, /<script(?![^>]*\bsrc=")|<style|\son\w+=|\sstyle=|https?:\/\//);
    const files = [...html.matchAll(/(?:src|href)="([\w.]+)"/g)].map(([, name]) => name!);
    const scripts = (await (await fetch(`${url}main.js`)).text()).matchAll(/from "\.\/([\w.]+)"/g);
    for (const name of new Set([...files, ...[...scripts].map(([, script]) => script!)])) {
      const file = await fetch(url + name);
      assert.equal(file.status, 200, name);
      const type = name.endsWith(".js") ? /javascript/ : name.endsWith(".css") ? /text\/css/ : /image\/svg/;
      assert.match(file.headers.get("content-type") ?? "", type, name);
      assert.equal(file.headers.get("x-content-type-options"), "nosniff", name);
      const etag = file.headers.get("etag")!;
      assert.equal((await fetch(url + name, { headers: { "if-none-match": etag } })).status, 304, name);
    }
  });

  it("has no other files and methods, and leaves other paths alone", async () => {
    await using running = await host.start();
    await inspect(running, { path: "/admin/inspector/" });
    using client = new NetworkClient(running.port);
    const headers = { host: "localhost" };
    const to = async (method: string, path: string): Promise<number> =>
      (await client.request(method, path, { headers })).status;
    assert.equal(await to("GET", "/admin/inspector/"), 200);
    assert.equal(await to("HEAD", "/admin/inspector/"), 200);
    assert.equal(await to("POST", "/admin/inspector/"), 405);
    for (const name of ["nothing", "../package.json", "%2e%2e/package.json", "constructor", "style.css/"]) {
      assert.equal(await to("GET", `/admin/inspector/${name}`), 404, name);
    }
    const redirect = await client.request("GET", "/admin/inspector", { headers });
    assert.deepEqual([redirect.status, redirect.headers.location], [308, "inspector/"]);
    assert.equal(await to("GET", "/socket.io/socket.io.js"), 200);
    const official = running.client();
    await connected(official);
  });

  it("ends with close()", async () => {
    await using running = await host.start();
    const inspector = await inspect(running);
    using page = await watch(running.url);
    assert.equal(inspector.watchers, 1);
    const gone = next(page.socket, "disconnect");
    inspector.close();
    await gone;
    assert.equal(inspector.watchers, 0);
    assert.equal((await fetch(`${running.url}/_tidewire/`)).status, 503);
  });

  it("is served again on the path of one that has ended", async () => {
    await using running = await host.start();
    (await inspect(running)).close();
    await inspect(running);
    for (const transports of [["polling"], ["websocket"]]) {
      using page = await watch(running.url, { transports });
      assert.ok(page.socket.connected);
    }
  });
});

onEveryHost("access to the page of io.inspect()", serverHosts, (host) => {
  it("is for this machine only without auth", async () => {
    await using running = await host.start();
    await inspect(running);
    const from = (headers: Record<string, string>): Promise<number> =>
      statusOf(running.port, "/_tidewire/", { host: "localhost", ...headers });
    assert.equal(await from({}), 200);
    assert.equal(await from({ host: `127.0.0.1:${running.port}` }), 200);
    assert.equal(await from({ host: "[::1]:80" }), 200);
    for (const name of ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via", "X-Forwarded-Host"]) {
      assert.equal(await from({ [name]: "127.0.0.1" }), 403, name);
    }
    // A name that somebody else points to this machine.
    assert.equal(await from({ host: "evil.example" }), 403);
    const response = await fetch(`${running.url}/_tidewire/`, { headers: { "x-forwarded-for": "8.8.8.8" } });
    assert.match(await response.text(), /io\.inspect\(\{ auth/);
  });

  it("refuses handshakes from elsewhere without auth", async () => {
    await using running = await host.start();
    await inspect(running);
    const token = await (await fetch(`${running.url}/_tidewire/token`)).text();
    for (const transports of [["polling"], ["websocket"]]) {
      const socket = connectPage(running.url, token, {
        transports,
        headers: { "x-forwarded-for": "8.8.8.8" },
      });
      using _socket = closing(() => void socket.close());
      await next(socket, "connect_error");
    }
  });

  it("asks for name and password", async () => {
    await using running = await host.start();
    await inspect(running, { auth });
    const to = (path: string, authorization?: string): Promise<Response> =>
      fetch(`${running.url}/_tidewire/${path}`, {
        headers: authorization === undefined ? {} : { authorization },
      });
    for (const path of ["", "style.css", "main.js", "token", "socket.io.esm.min.js", "nothing"]) {
      const response = await to(path);
      assert.equal(response.status, 401, path);
      assert.match(response.headers.get("www-authenticate") ?? "", /^Basic realm=/);
    }
    assert.equal((await to("", basic)).status, 200);
    assert.equal((await to("", basic.toLowerCase())).status, 401);
    assert.equal((await to("", `Bearer ${basic.slice(6)}`)).status, 401);
    const wrong = Buffer.from("ops:tides").toString("base64");
    assert.equal((await to("", `Basic ${wrong}`)).status, 401);
    // Through a proxy, too.
    const forwarded = { authorization: basic, "x-forwarded-for": "8.8.8.8" };
    assert.equal((await fetch(`${running.url}/_tidewire/`, { headers: forwarded })).status, 200);
  });

  it("lets nobody try passwords", async () => {
    await using running = await host.start();
    await inspect(running, { auth });
    const to = (authorization: string): Promise<Response> =>
      fetch(`${running.url}/_tidewire/`, { headers: { authorization } });
    for (let attempt = 1; attempt <= 10; attempt++) {
      const wrong = Buffer.from(`ops:${attempt}`).toString("base64");
      assert.equal((await to(`Basic ${wrong}`)).status, 401);
    }
    const late = await to(basic);
    assert.equal(late.status, 429);
    assert.match(late.headers.get("retry-after") ?? "", /^[1-6]?\d$/);
  });

  it("asks a function about each request and each handshake", async () => {
    await using running = await host.start();
    await inspect(running, {
      auth: async ({ headers }) => {
        await Promise.resolve();
        return headers["cookie"] === "role=admin";
      },
    });
    assert.equal((await fetch(`${running.url}/_tidewire/`)).status, 403);
    const headers = { cookie: "role=admin" };
    using page = await watch(running.url, { headers });
    assert.equal((await page.ask("rooms", {})) !== undefined, true);
    const token = await (await fetch(`${running.url}/_tidewire/token`, { headers })).text();
    const other = connectPage(running.url, token);
    using _other = closing(() => void other.close());
    await next(other, "connect_error");
  });

  it("lets nobody in when the function throws or answers anything but true", async () => {
    await using running = await host.start();
    await inspect(running, { auth: () => "yes" as unknown as boolean });
    assert.equal((await fetch(`${running.url}/_tidewire/`)).status, 403);
  });

  it("needs a token of the page, which another page cannot have", async () => {
    await using running = await host.start();
    await inspect(running, { auth });
    const token = await (
      await fetch(`${running.url}/_tidewire/token`, { headers: { authorization: basic } })
    ).text();
    const old = `${Date.now() - 1}.${token.split(".").slice(1).join(".")}`;
    for (const given of [undefined, "", "1.2.3", token.slice(0, -1), `${token}x`, old, 7, { token }, ["a"]]) {
      const socket = connectPage(running.url, given);
      using _socket = closing(() => void socket.close());
      const [error] = await next<[Error & { data?: { code: string } }]>(socket, "connect_error");
      assert.equal(error.data?.code, "UNAUTHORIZED");
    }
    const response = await fetch(`${running.url}/_tidewire/token`, { headers: { authorization: basic } });
    assert.equal(response.headers.get("access-control-allow-origin"), null);
    assert.equal(response.headers.get("cache-control"), "no-store");
  });

  onEveryTransport((_name, mode) => {
    it("lets the page in", async () => {
      await using running = await host.start();
      await inspect(running, { auth });
      using page = await watch(running.url, { ...mode, headers: { authorization: basic } });
      assert.ok(page.socket.connected);
    });
  });

  it("rejects incomplete credentials and other senseless options", async () => {
    await using running = await host.start();
    const refuses = (options: object): Promise<void> =>
      assert.rejects(inspect(running, options), { code: "INVALID_OPTION" });
    await refuses({ auth: { username: "ops", password: undefined } });
    await refuses({ auth: { username: "", password: "x" } });
    await refuses({ auth: { username: "a:b", password: "x" } });
    await refuses({ auth: true });
    await refuses({ path: "no-slash" });
    await refuses({ path: "/a?b" });
    await refuses({ path: "/" });
    await refuses({ readonly: "false" });
    await assert.rejects(inspect(running, { path: "/socket.io" }), { code: "PATH_IN_USE" });
    await assert.rejects(inspect(running, { path: "/socket.io/inspector" }), { code: "PATH_IN_USE" });
  });
});

/** Resolves to the entry of the feed that the test wants. */
async function entry(page: Watching, wants: (entry: Entry) => boolean): Promise<Entry> {
  let found: Entry | undefined;
  await page.next<Batch>("feed", ({ entries }) => (found = entries.find(wants)) !== undefined);
  return found!;
}

onEveryHost("what the page of io.inspect() gets", serverHosts, (host) => {
  it("is a sum of the server, without the page itself", async () => {
    await using running = await host.start();
    await inspect(running);
    const { client, socket } = await pair(running);
    running.io.of("/orders");
    using page = await watch(running.url);
    await page.next("overview");
    const seen = page.next<Overview>("overview", ({ sockets }) => sockets === 0);
    client.emit("hello");
    await settled(client, socket);
    client.disconnect();
    const { events, namespaces, disconnects } = await seen;
    assert.deepEqual(events, { in: 2, out: 1 });
    assert.deepEqual(
      namespaces.map(({ name, sockets }) => [name, sockets]),
      [
        ["/", 0],
        ["/orders", 0],
      ],
    );
    assert.deepEqual(disconnects, [{ reason: "client namespace disconnect", count: 1 }]);
    assert.deepEqual(Object.keys(own(running).stats().namespaces), ["/", "/orders"]);
    assert.ok(own(running).engine.clientsCount <= 1);
  });

  it("is a list of connections, with what has changed in it", async () => {
    await using running = await host.start();
    await inspect(running);
    const [one, two] = [await pair(running), await pair(running, { transports: ["websocket"] })];
    void two.socket.join(["news", "sports"]);
    using page = await watch(running.url);
    const first = page.next<List>("connections");
    // The round trip is measured while the row is shown.
    const measured = page.next<List>("connections", ({ rows }) => rows.some(({ rtt = -1 }) => rtt >= 0));
    await page.ask("connections", {});
    const list = await first;
    assert.deepEqual([list.total, list.matching], [2, 2]);
    assert.deepEqual(list.order, [two.client.io.engine.id, one.client.io.engine.id]);
    assert.deepEqual(list.rows[0]!.rooms, ["news", "sports"]);
    const changed = page.next<List>("connections", ({ rows }) =>
      rows.some(({ rooms }) => rooms.includes("weather")),
    );
    void one.socket.join("weather");
    const { rows } = await changed;
    assert.ok(rows.some(({ sid }) => sid === one.client.io.engine.id));
    await measured;
    const filtered = page.next<List>("connections", ({ matching }) => matching === 1);
    await page.ask("connections", { room: "news", namespace: "/" });
    assert.deepEqual((await filtered).order, [two.client.io.engine.id]);
    const none = page.next<List>("connections", ({ matching }) => matching === 0);
    await page.ask("connections", { text: "nobody has this" });
    await none;
  });

  it("does not make adapters and sockets create what they need not", async () => {
    await using running = await host.start();
    await inspect(running);
    const { socket } = await pair(running);
    using page = await watch(running.url);
    const came = page.next("connections");
    await page.ask("connections", { room: "any" });
    await came;
    await page.ask("rooms", {});
    const { table } = running.io.sockets.adapter as unknown as {
      table: { has(id: string, room: string): boolean };
    };
    assert.ok(table.has(socket.id, socket.id));
    assert.equal(
      (socket as unknown as { ownHandshake: object }).ownHandshake.constructor.name,
      "LazyHandshake",
    );
  });

  it("is a list of the largest rooms", async () => {
    await using running = await host.start();
    await inspect(running);
    const [one, two] = [await pair(running), await pair(running)];
    void one.socket.join(["both", "one"]);
    void two.socket.join("both");
    using page = await watch(running.url);
    const came = page.next<object>("rooms");
    await page.ask("rooms", {});
    assert.deepEqual(await came, {
      total: 2,
      matching: 2,
      rows: [
        { nsp: "/", room: "both", size: 2 },
        { nsp: "/", room: "one", size: 1 },
      ],
    });
  });

  it("is a feed of what clients send and get, and why they leave", async () => {
    await using running = await host.start();
    await inspect(running);
    running.io.use(({ handshake }, next) =>
      next(handshake.auth["token"] === "wrong" ? new Error("not you") : undefined),
    );
    const { client, socket } = await pair(running);
    using page = await watch(running.url);
    await page.ask("feed", { kinds: EVERYTHING });
    client.emit("chat", "hello", { deep: [1, 2] });
    assert.deepEqual((await entry(page, ({ kind }) => kind === "in")).args, [
      '"hello"',
      '{ "deep": [1, 2] }',
    ]);
    socket.emit("reply", Buffer.of(1, 2, 3));
    assert.deepEqual((await entry(page, ({ kind }) => kind === "out")).args, ["<3 bytes>"]);
    running.io.to(["a", "b"]).except("c").emit("news", 1);
    const broadcast = await entry(page, ({ kind }) => kind === "broadcast");
    assert.deepEqual([broadcast.name, broadcast.rooms], ["news", ["a", "b", "not c"]]);
    const refused = running.client({ auth: { token: "wrong" } });
    const refusal = entry(page, ({ kind }) => kind === "refused");
    await next(refused, "connect_error");
    assert.equal((await refusal).detail, "not you");
    const gone = entry(page, ({ kind }) => kind === "disconnect");
    client.disconnect();
    assert.equal((await gone).name, "client namespace disconnect");
    const unknown = entry(page, ({ name }) => name === "UNKNOWN_SID" || name === "Session ID unknown");
    await fetch(`${running.url}/socket.io/?EIO=4&transport=polling&sid=none`);
    assert.match((await unknown).detail!, /\/socket\.io\//);
  });

  it("is filtered by the server, by name, namespace, socket and kind", async () => {
    await using running = await host.start();
    await inspect(running);
    running.io.of("/other");
    const { client, socket } = await pair(running);
    const other = await pair(running, {}, "/other");
    using page = await watch(running.url);
    const seen: string[] = [];
    page.socket.on("feed", ({ entries }: Batch) => {
      seen.push(...entries.map(({ name }) => name).filter((name) => !/^settled?$/.test(name)));
    });
    const filters = [
      { kinds: ["in"], name: "PRI" },
      { kinds: ["in"], namespace: "/other" },
      { kinds: ["in"], socket: client.id },
      { kinds: ["in"], socket: other.client.io.engine.id },
      { kinds: ["out"] },
    ];
    const expected = [["price"], ["others"], ["price", "chat"], ["others"], ["done"]];
    for (const [index, filter] of filters.entries()) {
      await page.ask("feed", filter);
      client.emit("price");
      client.emit("chat");
      await settled(client, socket);
      other.client.emit("others");
      await settled(other.client, other.socket);
      other.socket.emit("done");
      // What belongs to no filter would show up here, or among what the next filter lets through.
      await until(() => seen.length >= expected[index]!.length, "the entries of the filter");
      assert.deepEqual(seen.splice(0), expected[index], JSON.stringify(filter));
    }
  });

  it("is a bounded sample, however much happens and however large it is", async () => {
    await using running = await host.start();
    await inspect(running);
    const { client, socket } = await pair(running, { transports: ["websocket"] });
    using page = await watch(running.url);
    await page.ask("feed", { kinds: ["in"] });
    const large = { text: "x".repeat(5000), list: Array.from({ length: 500 }, (_, index) => index) };
    for (let sent = 0; sent < 500; sent++) client.emit("flood", large, large);
    const batches: Batch[] = [];
    let count = 0;
    await page.next<Batch>("feed", (batch) => {
      batches.push(batch);
      count += batch.entries.length + batch.skipped;
      return count >= 500;
    });
    await settled(client, socket);
    for (const { entries } of batches) assert.ok(entries.length <= 40, `${entries.length} entries`);
    const [first] = batches;
    assert.ok(first!.entries[0]!.args!.join().length < 2000);
    assert.ok(batches.some(({ skipped }) => skipped > 0));
  });

  it("shows hostile names and data as text of bounded length", async () => {
    await using running = await host.start();
    await inspect(running);
    const { client } = await pair(running);
    using page = await watch(running.url);
    await page.ask("feed", { kinds: ["in"] });
    let deep: unknown = "bottom";
    for (let depth = 0; depth < 50; depth++) deep = { deep };
    client.emit("<img src=x onerror=alert(1)>".repeat(1000), deep, { __proto__: { polluted: true } });
    const { name, args } = await entry(page, () => true);
    assert.equal(name.length, 121);
    assert.equal(args![0], '{ "deep": { "deep": { "deep": { "deep": {…} } } } }');
  });

  it("shows events and rooms whose names are numbers, in every view", async () => {
    await using running = await host.start();
    await inspect(running);
    const { client, socket } = await pair(running);
    void socket.join(7 as never);
    using page = await watch(running.url);
    await page.ask("feed", { kinds: EVERYTHING, name: "4" });
    client.emit(42 as never, "x");
    assert.equal((await entry(page, ({ kind }) => kind === "in")).name, "42");
    await page.ask("feed", { kinds: EVERYTHING });
    running.io.to(7 as never).emit("news");
    assert.deepEqual((await entry(page, ({ kind }) => kind === "broadcast")).rooms, ["7"]);
    const rooms = page.next<{ readonly rows: unknown }>("rooms");
    await page.ask("rooms", { text: "7" });
    assert.deepEqual((await rooms).rows, [{ nsp: "/", room: "7", size: 1 }]);
    const list = page.next<List>("connections");
    await page.ask("connections", { room: "7" });
    const { matching, rows } = await list;
    assert.deepEqual([matching, rows[0]?.rooms], [1, ["7"]]);
    const shown = page.next<Client>("client", ({ details }) => details !== undefined);
    await page.ask("client", { sid: client.io.engine.id });
    assert.deepEqual((await shown).details?.sockets[0]?.rooms, ["7"]);
  });

  it("is the timeline of one client", async () => {
    await using running = await host.start();
    await inspect(running);
    const { client, socket } = await pair(running, {
      transports: ["polling"],
      extraHeaders: { cookie: "secret=1" },
    });
    socket.data = {
      name: "Ann",
      get token() {
        return assert.fail("was read");
      },
    };
    void socket.join("news");
    using page = await watch(running.url);
    const first = page.next<Client>("client", ({ details }) => details !== undefined);
    const measured = page.next<Client>("client", ({ entries }) => entries.some(({ rtt = -1 }) => rtt >= 0));
    await page.ask("client", { sid: client.io.engine.id });
    const { details } = await first;
    assert.equal(details!.transport, "polling");
    assert.deepEqual(
      details!.sockets.map(({ nsp, rooms }) => [nsp, rooms]),
      [["/", ["news"]]],
    );
    assert.equal(details!.sockets[0]!.data, '{ "name": "Ann", "token": (getter) }');
    assert.doesNotMatch(JSON.stringify(details), /secret/);
    const has = (kind: string, text: RegExp): Promise<Client> =>
      page.next<Client>("client", ({ entries }) =>
        entries.some((each) => each.kind === kind && text.test(`${each.name} ${each.text}`)),
      );
    const came = has("in", /message .*chat/);
    client.emit("chat", "hello");
    await came;
    const sent = has("out", /message .*reply/);
    socket.emit("reply");
    await sent;
    await measured;
    const ended = has("end", /transport close|forced close/);
    client.io.engine.close();
    await ended;
    assert.equal(await page.ask("client", { sid: client.io.engine.id ?? "gone" }), "NOT_FOUND");
  });

  it("says what becomes of a client that upgrades", async () => {
    await using running = await host.start();
    await inspect(running);
    using page = await watch(running.url);
    const client = running.client({ transports: ["polling", "websocket"], upgrade: true });
    // The page may come too late to see it happen.
    const upgraded = page.next<Client>(
      "client",
      ({ details, entries }) =>
        details?.transport === "websocket" || entries.some(({ name }) => name === "upgraded"),
    );
    client.io.engine.once("open", () => void page.ask("client", { sid: client.io.engine.id }));
    await connected(client);
    await upgraded;
  });
});

onEveryHost("what the page of io.inspect() can do", serverHosts, (host) => {
  it("emits to a socket, a room and a namespace, and shows the answer", async () => {
    await using running = await host.start();
    await inspect(running);
    const [one, two] = [await pair(running), await pair(running)];
    void two.socket.join("news");
    using page = await watch(running.url);
    const event = { type: "emit", namespace: "/", event: "hello", args: [1, { a: 2 }] };
    let came = next(one.client, "hello");
    assert.deepEqual(await page.ask("act", { ...event, socket: one.socket.id }), {});
    assert.deepEqual(await came, [1, { a: 2 }]);
    came = next(two.client, "hello");
    await page.ask("act", { ...event, room: "news" });
    await came;
    const all = [one, two].map(({ client }) => next(client, "hello"));
    await page.ask("act", event);
    await Promise.all(all);
    one.client.on("question", (answer: (value: object) => void) => answer({ all: "well" }));
    const question = {
      type: "emit",
      namespace: "/",
      socket: one.socket.id,
      event: "question",
      args: [],
      ack: true,
    };
    assert.deepEqual(await page.ask("act", question), { answer: '{ "all": "well" }' });
  });

  it("joins, leaves and disconnects, and everybody who watches sees it", async () => {
    await using running = await host.start();
    await inspect(running);
    const { client, socket } = await pair(running);
    using page = await watch(running.url);
    using other = await watch(running.url);
    await other.ask("feed", { kinds: ["action"] });
    const target = { namespace: "/", socket: socket.id };
    const seen = entry(other, ({ kind }) => kind === "action");
    await page.ask("act", { type: "join", ...target, room: "news" });
    assert.ok(socket.rooms.has("news"));
    const { name, detail } = await seen;
    assert.equal(name, "join news");
    assert.match(detail!, /^by .*127\.0\.0\.1|^by ::1/);
    await page.ask("act", { type: "leave", ...target, room: "news" });
    assert.ok(!socket.rooms.has("news"));
    const gone = next(client, "disconnect");
    await page.ask("act", { type: "disconnect", ...target });
    assert.equal((await gone)[0], "io server disconnect");
    assert.equal(await page.ask("act", { type: "disconnect", ...target }), "NOT_FOUND");
  });

  it("reaches rooms whose names are numbers", async () => {
    await using running = await host.start();
    await inspect(running);
    const [one, two] = [await pair(running), await pair(running)];
    for (const { socket } of [one, two]) void socket.join(7 as never);
    using page = await watch(running.url);
    const came = next(one.client, "hello");
    await page.ask("act", { type: "emit", namespace: "/", room: "7", event: "hello", args: [] });
    await came;
    await page.ask("act", { type: "leave", namespace: "/", socket: one.socket.id, room: "7" });
    assert.equal(one.socket.rooms.size, 1);
    const gone = next(two.client, "disconnect");
    await page.ask("act", { type: "empty", namespace: "/", room: "7" });
    await gone;
    assert.ok(one.client.connected);
  });

  it("closes connections, one or those of a room", async () => {
    await using running = await host.start();
    await inspect(running);
    const pairs = [await pair(running), await pair(running), await pair(running)];
    for (const { socket } of pairs.slice(1)) void socket.join("news");
    using page = await watch(running.url);
    const gone = pairs.map(({ client }) => next(client, "disconnect"));
    assert.deepEqual(await page.ask("act", { type: "close", sid: pairs[0]!.client.io.engine.id }), {});
    await gone[0];
    await page.ask("act", { type: "empty", namespace: "/", room: "news" });
    await Promise.all(gone);
    assert.equal(own(running).stats().sockets, 0);
  });

  it("is nothing where the inspector is read-only", async () => {
    await using running = await host.start();
    await inspect(running, { readonly: true });
    const { client, socket } = await pair(running);
    using page = await watch(running.url);
    const sid = client.io.engine.id;
    for (const action of [
      { type: "emit", namespace: "/", event: "x", args: [] },
      { type: "join", namespace: "/", socket: socket.id, room: "x" },
      { type: "leave", namespace: "/", socket: socket.id, room: "x" },
      { type: "disconnect", namespace: "/", socket: socket.id },
      { type: "empty", namespace: "/", room: socket.id },
      { type: "close", sid },
    ]) {
      assert.equal(await page.ask("act", action), "READ_ONLY", action.type);
    }
    client.on("x", () => assert.fail("was sent"));
    await settled(client, socket);
  });

  it("is checked, whatever a page sends", async () => {
    await using running = await host.start();
    await inspect(running);
    const { socket } = await pair(running);
    using page = await watch(running.url);
    const namespace = "/";
    for (const [action, code] of [
      [undefined, "INVALID_REQUEST"],
      ["emit", "INVALID_REQUEST"],
      [{ type: "constructor" }, "INVALID_REQUEST"],
      [{ type: "emit", namespace, event: "", args: [] }, "INVALID_REQUEST"],
      [{ type: "emit", namespace, event: "x", args: "y" }, "INVALID_REQUEST"],
      [{ type: "emit", namespace: "/nowhere", event: "x", args: [] }, "NOT_FOUND"],
      [{ type: "emit", namespace, socket: socket.id, event: "disconnect", args: [] }, "RESERVED_EVENT"],
      [{ type: "join", namespace, socket: socket.id, room: "x".repeat(1001) }, "INVALID_REQUEST"],
      [{ type: "join", namespace, socket: "nobody", room: "x" }, "NOT_FOUND"],
      [{ type: "close", sid: "nobody" }, "NOT_FOUND"],
    ] as const) {
      assert.equal(await page.ask("act", action), code, JSON.stringify(action)?.slice(0, 80));
    }
    for (const [event, given] of [
      ["connections", 7],
      ["connections", { offset: -1 }],
      ["connections", { sort: "__proto__" }],
      ["connections", { text: {} }],
      ["rooms", "x"],
      ["feed", { kinds: "in" }],
      ["client", { sid: ["x"] }],
    ] as const) {
      assert.equal(await page.ask(event, given), "INVALID_REQUEST", event);
    }
    assert.ok(socket.connected);
  });
});

onEveryHost("what io.inspect() costs", serverHosts, (host) => {
  it("is nothing while nobody watches", async () => {
    await using running = await host.start();
    const io = own(running);
    const { client, socket } = await pair(running, { transports: ["websocket"] });
    const listeners = (): number[] => [
      ...["packet", "packetCreate", "upgrade", "close"].map((event) => socket.conn.listenerCount(event)),
      ...["connection_error", "headers"].map((event) => io.engine.listenerCount(event)),
      io.listenerCount("limit_exceeded"),
    ];
    const before = listeners();
    const inspector = await inspect(running);
    assert.ok(!areHeard());
    assert.deepEqual(listeners(), before);
    const page = await watch(running.url);
    await page.ask("feed", { kinds: EVERYTHING });
    await page.ask("connections", {});
    await page.ask("client", { sid: client.io.engine.id });
    assert.ok(areHeard());
    assert.notDeepEqual(listeners(), before);
    page.socket.disconnect();
    while (inspector.watchers > 0) await new Promise(setImmediate);
    assert.ok(!areHeard());
    assert.deepEqual(listeners(), before);
  });

  it("ends for a view as soon as the page shows another", async () => {
    await using running = await host.start();
    await inspect(running);
    const { client, socket } = await pair(running, { transports: ["websocket"] });
    using page = await watch(running.url);
    await page.ask("connections", {});
    await page.ask("client", { sid: client.io.engine.id });
    assert.ok(socket.conn.listenerCount("packet") >= 2);
    await page.ask("connections", null);
    await page.ask("client", null);
    await page.ask("feed", null);
    assert.equal(socket.conn.listenerCount("packet"), 0);
    assert.equal(socket.conn.listenerCount("packetCreate"), 0);
    assert.equal(own(running).engine.listenerCount("connection_error"), 0);
  });

  it("is no time of other servers of the process", async () => {
    await using running = await host.start();
    await using other = await host.start();
    await inspect(running);
    using page = await watch(running.url);
    await page.ask("feed", { kinds: EVERYTHING });
    page.socket.on("feed", () => assert.fail("is of another server"));
    const { client, socket } = await pair(other);
    client.emit("hello");
    other.io.emit("news");
    await settled(client, socket);
    const { events } = await page.next<Overview>("overview");
    assert.deepEqual(events, { in: 0, out: 0 });
  });

  it("lets at most 20 pages in", async () => {
    await using running = await host.start();
    const inspector = await inspect(running);
    const token = await (await fetch(`${running.url}/_tidewire/token`)).text();
    const pages = Array.from({ length: 20 }, () => connectPage(running.url, token));
    using _pages = closing(() => pages.forEach((page) => void page.close()));
    await Promise.all(pages.map(connected));
    assert.equal(inspector.watchers, 20);
    const late = connectPage(running.url, token);
    using _late = closing(() => void late.close());
    const [error] = await next<[Error & { data?: { code: string } }]>(late, "connect_error");
    assert.equal(error.data?.code, "TOO_MANY_WATCHERS");
  });
});

describe("io.inspect()", () => {
  it("waits for a server that is attached later, and for one that is attached again", async () => {
    const httpServer = createServer();
    const io = new Server();
    await io.inspect();
    io.attach(httpServer);
    await using running = await serve(io as unknown as OfficialServer, httpServer);
    using page = await watch(running.url);
    assert.ok(page.socket.connected);
    const gone = next(page.socket, "disconnect");
    await io.close();
    await gone;
    await new Promise<void>((resolve) => httpServer.listen(running.port, "127.0.0.1", resolve));
    io.attach(httpServer);
    using again = await watch(running.url);
    assert.ok(again.socket.connected);
  });

  it("works beside an Express application", async () => {
    const app = express();
    app.get("/", (_request, response) => void response.send("home"));
    const httpServer = createServer(app);
    const io = new Server(httpServer);
    await io.inspect({ path: "/ops" });
    await using running = await serve(io as unknown as OfficialServer, httpServer);
    assert.equal(await (await fetch(running.url)).text(), "home");
    assert.equal((await fetch(`${running.url}/nothing`)).status, 404);
    assert.match(await (await fetch(`${running.url}/ops`)).text(), /<title>Tidewire inspector/);
    for (const transports of [["polling"], ["websocket"]]) {
      using page = await watch(running.url, { path: "/ops", transports });
      assert.ok(page.socket.connected);
    }
    const client = running.client();
    await connected(client);
  });

  it("serves two pages of one server, with rights of their own", async () => {
    await using running = await serverHosts.at(-1)!.start();
    await inspect(running, { readonly: true });
    await inspect(running, { path: "/_full", auth });
    using page = await watch(running.url);
    assert.equal(await page.ask("act", { type: "close", sid: "x" }), "READ_ONLY");
    using full = await watch(running.url, { path: "/_full", headers: { authorization: basic } });
    assert.equal(await full.ask("act", { type: "close", sid: "x" }), "NOT_FOUND");
  });

  it("says that an engine in memory has no page", async () => {
    await using server = await testServer(() => {});
    await assert.rejects(server.io.inspect(), { code: "NO_HTTP_SERVER" });
  });

  it("refuses requests from another address of this machine without auth", async function () {
    const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
    const other = addresses.find(({ family, internal }) => family === "IPv4" && !internal);
    if (other === undefined) return this.skip();
    for (const { name } of serverHosts) {
      const io = new Server(0, { host: name === "uws" ? "uws" : "node" });
      try {
        await io.inspect();
        if (!io.httpServer.listening) await next(io.httpServer, "listening");
        const { port } = io.httpServer.address() as { port: number };
        assert.equal(await statusOf(port, "/_tidewire/", { host: "localhost" }, other.address), 403, name);
        assert.equal(await statusOf(port, "/_tidewire/", { host: "localhost" }), 200, name);
      } finally {
        await io.close();
      }
    }
  });
});
