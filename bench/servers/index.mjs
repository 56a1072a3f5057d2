import floorNode from "./floor-node.mjs";
import floorUws from "./floor-uws.mjs";
import pairs from "./pairs.mjs";
import socketio from "./socketio.mjs";

/** In the order of the report and of a round. @type {Variant[]} */
export const variants = [...socketio, ...floorUws, ...floorNode, ...pairs];
