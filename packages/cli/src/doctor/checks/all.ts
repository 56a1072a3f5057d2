import type { Check } from "../check.ts";
import { certificate } from "./certificate.ts";
import { cookies } from "./cookies.ts";
import { cors } from "./cors.ts";
import { delivery } from "./delivery.ts";
import { forwarded } from "./forwarded.ts";
import { http10 } from "./http-1-0.ts";
import { idlePoll, idleWebSocket } from "./idle.ts";
import { path } from "./path.ts";
import { polling } from "./polling.ts";
import { post } from "./post.ts";
import { protocols } from "./protocols.ts";
import { reachable } from "./reachable.ts";
import { sticky } from "./sticky.ts";
import { upgrade, websocket } from "./websocket.ts";

/** In the order in which they run. */
export const ALL_CHECKS: readonly Check[] = [
  reachable,
  certificate,
  path,
  protocols,
  polling,
  sticky,
  post,
  delivery,
  websocket,
  upgrade,
  http10,
  cors,
  cookies,
  forwarded,
  idlePoll,
  idleWebSocket,
];
