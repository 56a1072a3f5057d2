import { once } from "node:events";
import { connect } from "node:net";

/** Whether somebody accepts connections on a port of this machine, or on a unix socket. */
export async function accepts(place: number | string): Promise<boolean> {
  const socket = typeof place === "number" ? connect(place, "127.0.0.1") : connect(place);
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
