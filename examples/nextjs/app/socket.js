"use client";

import { io } from "socket.io-client";

// One for the whole page. It connects in an effect, and never while the page is rendered on the server.
export const socket = io({ autoConnect: false });
