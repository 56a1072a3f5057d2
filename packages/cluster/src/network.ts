/** A way in which nodes find and dial each other. A node may have several: links are the same on all of them. */
export interface Network {
  /**
   * Listens, and connects to the other nodes. Fulfilled once there are links to all of them, or after a while.
   *
   * @throws ClusterError if this node cannot take part
   */
  start(): Promise<void>;
  /**
   * Cannot be found any more, and looks for nobody. Links stay.
   *
   * @returns fulfilled once the others know, if that takes a while
   */
  stop(): Promise<void> | void;
}
