import assert from "node:assert/strict";
import * as official from "socket.io-parser";
import { isPacketValid, PacketType, protocol } from "@tidewire/parser";
import type { Packet } from "@tidewire/parser";

describe("Socket.IO packet types", () => {
  it("are those of the official package, by name and by number", () => {
    assert.deepEqual({ ...PacketType }, { ...official.PacketType });
  });

  it("belong to protocol 5", () => {
    assert.equal(protocol, 5);
    assert.equal(protocol, official.protocol);
  });
});

describe("isPacketValid", () => {
  const datas = [
    undefined,
    null,
    0,
    "text",
    {},
    [],
    [1],
    ["a"],
    [{}],
    ["connect"],
    ["newListener"],
    new Date(0),
    Object.create(null),
  ];
  const ids = [undefined, 0, 12, 1.5, NaN, "1"];
  const namespaces = ["/", "/admin", "", 1, undefined];

  for (const type of [0, 1, 2, 3, 4, 5, 6, 7, -1]) {
    it(`agrees with the official function on type ${type}`, () => {
      for (const data of datas) {
        for (const id of ids) {
          for (const nsp of namespaces) {
            const packet = { type, nsp, data, id } as Packet;
            assert.equal(isPacketValid(packet), official.isPacketValid(packet), JSON.stringify(packet));
          }
        }
      }
    });
  }
});
