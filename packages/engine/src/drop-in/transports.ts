import { PollingTransport } from "../transport/polling.ts";
import { WebSocketTransport } from "../transport/websocket.ts";
import { WebTransportTransport } from "../transport/webtransport.ts";

/** The classes of the transports by name. Sessions create their own transports. */
export const transports: {
  readonly polling: typeof PollingTransport;
  readonly websocket: typeof WebSocketTransport;
  readonly webtransport: typeof WebTransportTransport;
} = {
  polling: PollingTransport,
  websocket: WebSocketTransport,
  webtransport: WebTransportTransport,
};
