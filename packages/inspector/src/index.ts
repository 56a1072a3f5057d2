/** A page about a server, which the server itself serves: `io.inspect()`. @module */
export { inspect } from "./inspect.ts";
export type { InspectorError, InspectorErrorCode } from "./errors.ts";
export type { Inspector, InspectorAuth, InspectorOptions } from "@tidewire/server";
