import assert from "node:assert/strict";
import { route } from "../src/admission/route.ts";
import { UsualQuery } from "../src/admission/usual-query.ts";
import { parseQuery } from "../src/http/query.ts";
import type { Session } from "../src/session/session.ts";

const sessions = {
  polling3: { transport: { name: "polling" }, protocol: 3 },
  polling4: { transport: { name: "polling" }, protocol: 4 },
  websocket4: { transport: { name: "websocket" }, protocol: 4 },
} as unknown as Record<string, Session>;
const find = (sid: string): Session | undefined => (Object.hasOwn(sessions, sid) ? sessions[sid] : undefined);

/** What the parsed query leads to. */
function routed(url: string): Session | undefined {
  const head = { method: "GET", url, headers: {}, remoteAddress: "", secure: false, header: () => undefined };
  const result = route(head, parseQuery(url), false, { transports: ["polling", "websocket"], find });
  return result.kind === "continue" ? result.session : undefined;
}

describe("the usual query", () => {
  const url = "/socket.io/?EIO=4&transport=polling&t=abc&sid=polling4";

  it("is unknown before one was routed", () => {
    assert.equal(new UsualQuery(find).sessionOf(url), undefined);
  });

  it("leads to the session of the sid, whatever the time stamp", () => {
    const usual = new UsualQuery(find);
    usual.learn(url, sessions["polling4"]!);
    assert.equal(usual.sessionOf(url.replace("abc", "x.y-z_0")), sessions["polling4"]);
    assert.equal(usual.sessionOf(url.replace("polling4", "unknown")), undefined);
    assert.equal(usual.sessionOf(url.replace("polling4", "websocket4")), undefined);
    assert.equal(usual.sessionOf(url.replace("polling4", "polling3")), undefined);
  });

  it("never leads elsewhere than the parsed query", () => {
    const parts = [
      "EIO=4",
      "EIO=3",
      "transport=polling",
      "transport=websocket",
      "t=1",
      "t=2%26",
      "t=#",
      "sid=polling4",
    ];
    const more = ["sid=polling3", "sid=websocket4", "sid=poll%69ng4", "j=0", "b64=1", "t", "", "#", "sid="];
    const all = [...parts, ...more];
    let state = 1;
    const pick = (): string => {
      state = Math.imul(state, 1_103_515_245) + 12_345;
      return all[(state >>> 16) % all.length]!;
    };
    let hits = 0;
    for (let round = 0; round < 20_000; round++) {
      const usual = new UsualQuery(find);
      const learned = `/p?EIO=${round % 2 === 0 ? 4 : 3}&transport=polling&t=1&sid=polling${round % 2 === 0 ? 4 : 3}`;
      usual.learn(learned, routed(learned)!);
      const start = learned.slice(0, learned.indexOf("t=1"));
      const shuffled = Array.from({ length: 1 + (round % 6) }, pick).join("&");
      const stamped = `${start}t=${pick()}&sid=${pick().replace("sid=", "")}`;
      for (const tried of [`/p?${shuffled}`, `${start}${shuffled}`, `${learned}&${shuffled}`, stamped]) {
        const found = usual.sessionOf(tried);
        if (found === undefined) continue;
        hits++;
        assert.equal(found, routed(tried), `${tried} after ${learned}`);
      }
    }
    assert.ok(hits > 100, `${hits} queries were usual`);
  });
});
