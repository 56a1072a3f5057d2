/** What `@tidewire/cluster` shares with its backends. Not for applications: it changes with any release. @module */
export { afterReading, answerWithin, Deadline } from "./deadline.ts";
