import io from "./main.cjs";

export const { Server, Namespace, Socket } = io;
