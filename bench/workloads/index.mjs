import broadcast from "./broadcast.mjs";
import clusterBroadcast from "./cluster-broadcast.mjs";
import clusterForwarding from "./cluster-forwarding.mjs";
import clusterWorkers from "./cluster-workers.mjs";
import connect from "./connect.mjs";
import heartbeat from "./heartbeat.mjs";
import idle from "./idle.mjs";
import inspector from "./inspector.mjs";
import polling from "./polling.mjs";
import redisBroadcast from "./redis-broadcast.mjs";
import { rooms, scaleRooms } from "./rooms.mjs";
import roundTrips from "./round-trips.mjs";
import scaleAcks from "./scale-acks.mjs";
import scaleChurn from "./scale-churn.mjs";
import scaleGrowth from "./scale-growth.mjs";
import scaleLarge from "./scale-large.mjs";
import scaleNamespaces from "./scale-namespaces.mjs";
import slowReaders from "./slow-readers.mjs";

/** In the order of the report. @type {Workload[]} */
export const workloads = [
  ...roundTrips,
  ...broadcast,
  rooms,
  polling,
  ...connect,
  idle,
  heartbeat,
  ...scaleGrowth,
  scaleRooms,
  scaleNamespaces,
  scaleAcks,
  scaleLarge,
  scaleChurn,
  slowReaders,
  inspector,
  clusterBroadcast,
  redisBroadcast,
  ...clusterForwarding,
  clusterWorkers,
];
