// `npm run compat`: holds Tidewire against published parts. See README.md for what can be asked of it.
import { register } from "tsx/esm/api";

register();
const { main } = await import("./runner/main.ts");
process.exitCode = await main(process.argv.slice(2));
