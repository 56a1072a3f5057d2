// The inspector as it is installed, in both kinds of modules, and where it is not.
import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { closing } from "../support/waiting/closing.ts";
import { evaluate, output, pack } from "./packed.ts";

const program = `
  const io = new Server(0, { host: "node" });
  const { path } = await io.inspect();
  const url = "http://localhost:" + io.httpServer.address().port + path + "/";
  const statuses = [];
  for (const name of ["", "main.js", "style.css", "socket.io.esm.min.js"]) statuses.push((await fetch(url + name)).status);
  console.log(JSON.stringify(statuses));
  await io.close();
`;

describe("io.inspect() of the packed packages", function () {
  this.timeout(60_000);
  before(() => pack());

  it("serves the page in an ES module, and in a CommonJS module", async () => {
    const esm = `import { Server } from "@tidewire/server";${program}`;
    assert.deepEqual(await evaluate("inspection.mjs", esm), [200, 200, 200, 200]);
    const cjs = `const { Server } = require("@tidewire/server"); (async () => {${program}})();`;
    assert.deepEqual(await evaluate("inspection.cjs", cjs), [200, 200, 200, 200]);
  });

  it("says what is missing where only the server is installed", async () => {
    const { folder } = await pack();
    const alone = mkdtempSync(join(tmpdir(), "tidewire-alone-"));
    using _alone = closing(() => rmSync(alone, { recursive: true, force: true }));
    const modules = join(folder, "node_modules");
    mkdirSync(join(alone, "node_modules/@tidewire"), { recursive: true });
    cpSync(join(modules, "@tidewire/server"), join(alone, "node_modules/@tidewire/server"), {
      recursive: true,
    });
    for (const name of ["@tidewire/parser", "@tidewire/engine", "@tidewire/contract"])
      symlinkSync(join(modules, name), join(alone, "node_modules", name), "dir");
    for (const name of ["accepts", "cors", "debug", "socket.io-adapter"])
      symlinkSync(join(modules, name), join(alone, "node_modules", name), "dir");
    const script = `import { Server } from "@tidewire/server";
      await new Server().inspect().catch(({ code, message, cause }) => console.log(JSON.stringify([code, message, cause.code])));`;
    writeFileSync(join(alone, "alone.mjs"), script);
    const { stdout, stderr } = await output(process.execPath, ["alone.mjs"], alone);
    assert.equal(stderr, "");
    const [code, message, cause] = JSON.parse(stdout) as string[];
    assert.equal(code, "INSPECTOR_NOT_INSTALLED");
    assert.match(message!, /npm install @tidewire\/inspector/);
    assert.equal(cause, "ERR_MODULE_NOT_FOUND");
  });
});
