import assert from "node:assert/strict";
import { ParsedHead } from "../src/host/copied/head.ts";
import { v3, v4 } from "../src/protocol/index.ts";
import { parseQuery } from "../src/http/query.ts";
import { route } from "../src/admission/route.ts";
import type { Route, RoutedSession } from "../src/admission/route.ts";

const polling: RoutedSession = { transport: { name: "polling" }, protocol: 4 };
const websocket: RoutedSession = { transport: { name: "websocket" }, protocol: 4 };
const old: RoutedSession = { transport: { name: "polling" }, protocol: 3 };
const sessions: Record<string, RoutedSession> = { p: polling, w: websocket, old };

interface Row {
  title: string;
  query: string;
  method?: string;
  upgrade?: boolean;
  origin?: string;
  transports?: string[];
  is: Route<RoutedSession>;
}

const open = (transport: "polling" | "websocket", protocol = v4): Row["is"] => ({
  kind: "open",
  transport,
  protocol,
});
const refuse = (code: 0 | 1 | 2 | 3, context: Record<string, unknown>): Row["is"] => ({
  kind: "refuse",
  code,
  context,
});
const goesOn = (session: RoutedSession): Row["is"] => ({ kind: "continue", session });
const mismatch = (transport: string, previousTransport: string): Row["is"] =>
  refuse(3, { name: "TRANSPORT_MISMATCH", transport, previousTransport });

const rows: Row[] = [
  { title: "a handshake by long-polling", query: "EIO=4&transport=polling", is: open("polling") },
  {
    title: "a handshake by WebSocket",
    query: "EIO=4&transport=websocket",
    upgrade: true,
    is: open("websocket"),
  },
  { title: "a handshake of v3", query: "EIO=3&transport=polling", is: open("polling", v3) },
  { title: "a handshake of no version", query: "transport=polling", is: open("polling", v3) },
  { title: "a handshake with an empty sid", query: "EIO=4&transport=polling&sid=", is: open("polling") },
  {
    title: "an origin beyond ASCII",
    query: "EIO=4&transport=polling",
    origin: "http://h\u00e9.example\t",
    is: open("polling"),
  },
  { title: "no transport", query: "EIO=4", is: refuse(0, { transport: undefined }) },
  { title: "an unknown transport", query: "EIO=4&transport=tcp", is: refuse(0, { transport: "tcp" }) },
  {
    title: "a transport named as a member of every object",
    query: "EIO=4&transport=constructor",
    is: refuse(0, { transport: "constructor" }),
  },
  {
    title: "WebTransport by HTTP",
    query: "EIO=4&transport=webtransport",
    transports: ["polling", "webtransport"],
    is: refuse(0, { transport: "webtransport" }),
  },
  {
    title: "a transport that is not served",
    query: "EIO=4&transport=polling",
    transports: ["websocket"],
    is: refuse(0, { transport: "polling" }),
  },
  {
    title: "an origin with a control character",
    query: "EIO=4&transport=polling",
    origin: "http://a\u0001",
    is: refuse(3, { name: "INVALID_ORIGIN", origin: "http://a\u0001" }),
  },
  {
    title: "a handshake by POST",
    query: "EIO=4&transport=polling",
    method: "POST",
    is: refuse(2, { method: "POST" }),
  },
  {
    title: "a WebSocket handshake without an upgrade",
    query: "EIO=4&transport=websocket",
    is: refuse(3, { name: "TRANSPORT_HANDSHAKE_ERROR" }),
  },
  {
    title: "an upgrade for a handshake by long-polling",
    query: "EIO=4&transport=polling",
    upgrade: true,
    is: refuse(3, { name: "TRANSPORT_HANDSHAKE_ERROR" }),
  },
  { title: "a poll", query: "EIO=4&transport=polling&sid=p", is: goesOn(polling) },
  { title: "a post", query: "EIO=4&transport=polling&sid=p", method: "POST", is: goesOn(polling) },
  { title: "a poll of v3", query: "EIO=3&transport=polling&sid=old", is: goesOn(old) },
  { title: "an upgrade", query: "EIO=4&transport=websocket&sid=p", upgrade: true, is: goesOn(polling) },
  {
    title: "an upgrade of a session on a WebSocket",
    query: "EIO=4&transport=websocket&sid=w",
    upgrade: true,
    is: goesOn(websocket),
  },
  { title: "an unknown sid", query: "EIO=4&transport=polling&sid=x", is: refuse(1, { sid: "x" }) },
  {
    title: "a poll of a session on a WebSocket",
    query: "EIO=4&transport=polling&sid=w",
    is: mismatch("polling", "websocket"),
  },
  {
    title: "a plain request for the WebSocket of a session on long-polling",
    query: "EIO=4&transport=websocket&sid=p",
    is: mismatch("websocket", "polling"),
  },
  {
    title: "a plain request for the WebSocket of a session that has one",
    query: "EIO=4&transport=websocket&sid=w",
    is: mismatch("websocket", "websocket"),
  },
  {
    title: "an upgrade that says long-polling",
    query: "EIO=4&transport=polling&sid=p",
    upgrade: true,
    is: mismatch("polling", "polling"),
  },
  {
    title: "a poll of another version",
    query: "EIO=3&transport=polling&sid=p",
    is: refuse(3, { name: "PROTOCOL_MISMATCH", protocol: 3, previousProtocol: 4 }),
  },
  {
    title: "an upgrade of another version",
    query: "EIO=4&transport=websocket&sid=old",
    upgrade: true,
    is: refuse(3, { name: "PROTOCOL_MISMATCH", protocol: 4, previousProtocol: 3 }),
  },
];

describe("route of a request", () => {
  for (const row of rows) {
    const { method = "GET", upgrade = false, transports = ["polling", "websocket"], origin } = row;
    const way = row.is.kind === "refuse" ? `refuse with ${row.is.code}` : row.is.kind;
    it(`is to ${way}: ${row.title}`, () => {
      const url = `/engine.io/?${row.query}`;
      const headers = origin === undefined ? {} : { origin };
      const head = new ParsedHead(method, url, headers, "127.0.0.1", false);
      const table = { transports, find: (sid: string) => sessions[sid] };
      assert.deepEqual(route(head, parseQuery(url), upgrade, table), row.is);
    });
  }
});
