import assert from "node:assert/strict";
import { explain, loadUws, nodeTooOld } from "../src/host/uws/load.ts";

function dlopenError(message: string): Error {
  return Object.assign(new Error(message), { code: "ERR_DLOPEN_FAILED" });
}

const missing = Object.assign(new Error("Cannot find module '/a/uws_linux_x64_137.node'"), {
  code: "MODULE_NOT_FOUND",
});

describe("loading uWebSockets.js", () => {
  it("returns the module, or an error with a cause", () => {
    const uws = loadUws();
    if (uws instanceof Error) assert.ok(uws.cause);
    else assert.equal(typeof uws.App, "function");
  });

  it("says that there is no binary for this Node", () => {
    const own = new Error(
      "This version of uWS.js supports only Node.js versions 20, 22. Error: Cannot find module",
    );
    for (const errors of [
      [missing],
      [own, missing],
      [new Error('No "exports" main defined in x'), missing],
    ]) {
      const error = explain(errors);
      assert.equal(error.code, "UWS_NO_BINARY");
      assert.ok(error.cause === own || error.cause === missing);
      assert.match(error.message, /install another version of it/);
    }
  });

  for (const text of [
    "/lib/libc.so.6: version `GLIBC_2.38' not found (required by uws_linux_x64_115.node)",
    "Error loading shared library ld-linux-x86-64.so.2: No such file or directory",
    "Error relocating uws_linux_x64_115.node: __fprintf_chk: symbol not found",
  ]) {
    it(`says that the C library differs: ${text.slice(0, 40)}`, () => {
      const cause = dlopenError(text);
      const error = explain([missing, cause]);
      assert.equal(error.code, "UWS_WRONG_LIBC");
      assert.equal(error.cause, cause);
      assert.match(error.message, /node:22-slim/);
    });
  }

  it("repeats an unknown error", () => {
    const cause = dlopenError("file too short");
    const error = explain([missing, cause]);
    assert.equal(error.code, "UWS_NOT_LOADED");
    assert.equal(error.cause, cause);
    assert.match(error.message, /file too short/);
  });

  it("says that Node 20 is needed", () => {
    assert.equal(nodeTooOld("18.20.4")?.code, "NODE_TOO_OLD");
    assert.equal(nodeTooOld("20.19.0"), undefined);
    assert.equal(nodeTooOld("26.1.0"), undefined);
  });
});
