// `npm run compat`: tests Tidewire with published parts. See README.md for the options.
import { register } from "tsx/esm/api";

register();
const { main } = await import("./runner/main.ts");
process.exitCode = await main(process.argv.slice(2));
