import io from "./main.cjs";

export const { Server, Namespace, Socket, internals } = io;
