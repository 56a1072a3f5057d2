// Runs in the pages of these tests, with the official client. Test and page exchange binary data as
// { $: name of its class, hex }.
"use strict";

(() => {
  const toHex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const fromHex = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));

  const makers = {
    ArrayBuffer: (bytes) => bytes.buffer,
    Uint8Array: (bytes) => bytes,
    // in the middle of a larger buffer, whose rest must not be sent
    DataView: (bytes) => {
      const larger = new Uint8Array(bytes.length + 6).fill(0xee);
      larger.set(bytes, 3);
      return new DataView(larger.buffer, 3, bytes.length);
    },
    Blob: (bytes) => new Blob([bytes], { type: "application/x-tide" }),
    File: (bytes) => new File([bytes], "tide.bin"),
  };

  /** Makes the value that the test described. */
  function make(value) {
    if (value === null || typeof value !== "object") return value;
    if (value.$) return makers[value.$](fromHex(value.hex));
    if (Array.isArray(value)) return value.map(make);
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, make(item)]));
  }

  /** Describes a value of the page. */
  function describe(value) {
    if (value instanceof ArrayBuffer) return { $: "ArrayBuffer", hex: toHex(new Uint8Array(value)) };
    if (ArrayBuffer.isView(value)) {
      const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
      return { $: value.constructor.name, hex: toHex(bytes) };
    }
    if (value instanceof Error) {
      const { message, data } = value;
      return data === undefined ? { message } : { message, data };
    }
    if (value === null || typeof value !== "object") return value;
    if (Array.isArray(value)) return value.map(describe);
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, describe(item)]));
  }

  /** The client of one namespace, and its events that the test has not taken yet. */
  class Recorder {
    constructor(client) {
      this.client = client;
      this.told = [];
      this.takers = [];
      for (const event of ["message", "connect", "disconnect", "connect_error", "error"]) {
        client.on(event, (...args) => this.tell(event, args));
      }
      client.on("ask", (...args) => {
        const answer = args.pop();
        answer(...args);
      });
    }

    tell(event, args) {
      this.told.push([event, ...describe(args)]);
      this.takers = this.takers.filter((taker) => !taker());
    }

    take(event) {
      return new Promise((resolve) => {
        const taker = () => {
          const found = this.told.findIndex(([name]) => name === event);
          if (found === -1) return false;
          resolve(this.told.splice(found, 1)[0].slice(1));
          return true;
        };
        if (!taker()) this.takers.push(taker);
      });
    }
  }

  const clients = new Map();
  const at = (namespace) => clients.get(namespace);

  window.lab = {
    open(namespace, url, options) {
      at(namespace)?.client.close();
      clients.set(namespace, new Recorder(io(url + namespace, options)));
    },
    take: (namespace, event) => at(namespace).take(event),
    /** All events that were not taken yet. */
    told: (namespace) => at(namespace).told,
    emit: (namespace, event, args) => void at(namespace).client.emit(event, ...make(args)),
    ask: (namespace, event, args) =>
      new Promise((resolve) => {
        at(namespace).client.emit(event, ...make(args), (...answer) => resolve(describe(answer)));
      }),
    close: (namespace) => void at(namespace).client.close(),
    connect: (namespace) => void at(namespace).client.connect(),
    state(namespace) {
      const { client } = at(namespace);
      const { engine } = client.io;
      return {
        id: client.id,
        connected: client.connected,
        recovered: client.recovered,
        transport: engine.transport.name,
      };
    },
    upgraded(namespace) {
      const { engine } = at(namespace).client.io;
      if (engine.transport.name === "websocket") return undefined;
      return new Promise((resolve) => engine.once("upgrade", () => resolve()));
    },
    onDisconnect: (namespace, listener) => void at(namespace).client.on("disconnect", listener),
    /** Breaks the client's connection, as a network failure does. */
    lose: (namespace) => void at(namespace).client.io.engine.close(),
  };
})();
