// Encodes and decodes Socket.IO and Engine.IO packets, compared with the official parsers.
import { bench, do_not_optimize, group, summary } from "mitata";
import { createDecoder, defaultParser, engineCodecV4, PacketType } from "@tidewire/parser";
import * as engineParser from "engine.io-parser";
import * as socketParser from "socket.io-parser";
import { binaryPayload, payload } from "../harness/payload.mjs";

const event = () => ({ type: PacketType.EVENT, nsp: "/", data: ["echo", payload(1)], options: {} });
const binaryEvent = () => ({ ...event(), data: ["echo", binaryPayload(1)] });

const encoder = new defaultParser.Encoder();
const officialEncoder = new socketParser.Encoder();
const text = `2${JSON.stringify(["echo", payload(1)])}`;
const decoder = createDecoder(defaultParser, { ondecoded: do_not_optimize });
const officialDecoder = new socketParser.Decoder();
officialDecoder.on("decoded", (packet) => do_not_optimize(packet));

group("encode an event of 64 bytes", () => {
  summary(() => {
    bench("tidewire", () => do_not_optimize(encoder.encode(event())));
    bench("socket.io-parser", () => do_not_optimize(officialEncoder.encode(event())));
  });
});

group("encode an event of 1 KB binary", () => {
  summary(() => {
    bench("tidewire", () => do_not_optimize(encoder.encode(binaryEvent())));
    bench("socket.io-parser", () => do_not_optimize(officialEncoder.encode(binaryEvent())));
  });
});

group("decode an event of 64 bytes", () => {
  summary(() => {
    bench("tidewire", () => do_not_optimize(decoder.add(text)));
    bench("socket.io-parser", () => officialDecoder.add(text));
  });
});

const message = { type: /** @type {const} */ ("message"), data: text };
const payloadText = Array.from({ length: 10 }, () => `4${text}`).join("\x1e");

group("encode an Engine.IO packet", () => {
  summary(() => {
    bench("tidewire", () => do_not_optimize(engineCodecV4.encodePacket(message, true)));
    bench("engine.io-parser", () => engineParser.encodePacket(message, true, do_not_optimize));
  });
});

group("decode a payload of ten packets", () => {
  summary(() => {
    bench("tidewire", () => {
      for (const packet of engineCodecV4.decodePayload(payloadText, { maxPackets: 100 }))
        do_not_optimize(packet);
    });
    bench("engine.io-parser", () => do_not_optimize(engineParser.decodePayload(payloadText)));
  });
});
