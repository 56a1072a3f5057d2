// A process without a server, which sends events to the clients of others through Redis.
import { Emitter } from "@socket.io/redis-emitter";
import { Redis } from "ioredis";
import { answerCalls, given } from "./program.mjs";

const emitter = new Emitter(new Redis(given.redis), { key: given.prefix });

answerCalls(
  { port: 0 },
  {
    emitter: (...steps) => void steps.reduce((target, [method, ...args]) => target[method](...args), emitter),
  },
);
